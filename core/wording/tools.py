"""Why a row that calls tools is not used (core.data.codes.RowCode)."""

from core.i18n import N_
from core.wording.sentences import Either, Sentence

TOOL_ROWS: dict[str, Sentence] = {
    "tools": Either(
        N_("It calls tools in a form that is not known here (“{detail}”). Use the one of OpenAI or ShareGPT."),
        N_("It calls tools in a form that is not known here. Use the one of OpenAI or ShareGPT."),
    ),
    "tool_list": Either(
        N_("The field “{detail}” is not a list of tools, each with a name."),
        N_("The tools are not a list of tools, each with a name."),
    ),
    "call_unreadable": Either(
        N_("The call in “{detail}” cannot be read: it needs a name and arguments."),
        N_("A call of a tool cannot be read: it needs a name and arguments."),
    ),
    "call_arguments": Either(
        N_("The arguments for the tool “{detail}” are not a JSON object."),
        N_("The arguments of a call are not a JSON object."),
    ),
    "call_unanswered": Either(
        N_("The tool “{detail}” is called, but its result does not follow."),
        N_("A tool is called, but its result does not follow."),
    ),
    "result_unasked": Either(
        N_("The result “{detail}” belongs to no call before it."),
        N_("The result of a tool belongs to no call before it."),
    ),
    "tools_not_shown": N_(
        "The model's chat template leaves out tools, their calls or their results: the row would teach something else. "
        "Take a model whose template knows tools, or leave such rows out."
    ),
    "one_call": N_("The model's chat template shows only one call of a tool at a time."),
    "text_beside_call": N_("The model's chat template has no place for words beside the call of a tool."),
    "template_refuses": Either(
        N_("The model's chat template refuses this row: {detail}."),
        N_("The model's chat template refuses this row."),
    ),
}
