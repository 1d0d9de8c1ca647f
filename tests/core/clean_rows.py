"""Rows that each step of cleaning must find, and rows that look like them and must stay: (question, answer)."""

# ruff: noqa: E501 - a row is easier to judge on one line

from core.data.clean import StepName

Pairs = tuple[tuple[str, str], ...]

_LONG = "The harbour lies north of the old town, where the river meets the sea and fishing boats come in at dawn. "
_ZH = "港口位于老城以北，那里是河流入海的地方，渔船在黎明时分归来，市场也随之热闹起来。"

FOUND: dict[StepName, Pairs] = {
    StepName.INVISIBLE: (
        ("Where is it?", "In the\u200b harbour."), ("Where?", "\ufeffNorth of it."), ("Wo?", "Im Nor\u00adden der Stadt."),
        ("在哪里？", "在北\u200b边。"), ("在哪？", "\u2060老城以北"), ("Lines?", "one\r\ntwo\r\nthree"),
        ("Bell?", "ding\x07dong"), ("Dir?", "left \u202eright\u202c end"), ("Break?", "one\u2028two"),
        ("接合？", "中\u200d文"), ("Escape?", "\x1b[31mred\x1b[0m"), ("Joiner?", "a\u200cb"),
    ),
    StepName.GARBLED: (
        ("Menu?", "CafÃ© au lait"), ("Why?", "It doesnâ€™t work."), ("Quote?", "â€œYesâ€\x9d, he said."),
        ("City?", "SÃ£o Paulo"), ("Size?", "GrÃ¶ÃŸe"), ("Price?", "Â£20 or â‚¬25"), ("Range?", "1â€“2 hours"),
        ("你好？", "ä½\xa0å¥½ï¼Œä¸–ç•Œ"), ("你好？", "浣犲ソ锛屾垜鏄竴涓姪鎵�".replace("�", "")),
        ("介绍？", "杩欐槸涓€涓祴璇曘€�".replace("�", "")), ("名字？", "锟斤拷锟斤拷的名字"), ("内存？", "烫烫烫烫烫烫"),
        ("Hello?", "РџСЂРёРІРµС‚ РјРёСЂ"), ("你好？", "我很好，今天天气不错。".encode().decode("latin-1")),
        ("Why?", "It doesn’t work – “yet”.".encode().decode("latin-1")),
    ),
    StepName.HTML: (
        ("Where is it?", "<p>North of the old town.</p>"), ("Where?", "North<br>of the town<br/>by the sea"),
        ("Say hello", "Tom &amp; Anna say hello&nbsp;to you"), ("在哪里？", "<div>在老城以北。</div>"),
        ("Bold?", "It is <b>very</b> important."), ("列出水果", "<ul><li>苹果</li><li>香蕉</li></ul>"),
        ("Quote it", "He said &quot;yes&quot;."), ("Link", 'See <a href="x.htm">here</a> for more.'),
        ("What is water?", "H<sub>2</sub>O is water."), ("引用", "他说：&ldquo;好&rdquo;。"),
        ("Colour", '<font color="red">Stop</font> at once'), ("Name", "<strong>姓名</strong>：张三"),
        ("Compare", "5 &lt; 6 and 7 &gt; 2"), ("Table", "<table><tr><td>a</td><td>b</td></tr></table>"),
    ),
    StepName.SHORT: (
        ("What is a harbour?", "..."), ("Where is it?", "N/A"), ("Tell me more", "???"), ("什么是港口？", "。。。"),
        ("它在哪里？", "同上"), ("介绍一下北京", "略"), ("How are boats built?", "test"), ("怎么做红烧肉？", "测试"),
        ("Explain gravity.", "TODO"), ("Explain tides.", "asdfgh"), ("解释潮汐", "哈哈哈哈"), ("Explain it", "see above"),
        ("为什么天是蓝的？", "见附件"), ("Why is the sky blue?", "-"), ("???", "What do you want to know?"),
        ("讲讲历史", "——"), ("Explain", "[deleted]"), ("Summarise", "lol"),
    ),
    StepName.REFUSAL: (
        ("Write a joke", "As an AI language model, I cannot write jokes."),
        ("How do you feel?", "As an AI, I do not have feelings."),
        ("Open this link", "I'm sorry, but I cannot access external links."),
        ("Do it", "I’m sorry, but I can’t assist with that request."),
        ("Help me", "I apologize, but I am unable to provide that information."),
        ("Book a table", "I am just an AI language model and don't have the ability to book tables."),
        ("Do that", "I cannot fulfill this request."), ("Tell me", "Sorry, I can't help with that."),
        ("Ihre Meinung?", "As a large language model trained by OpenAI, I don't have opinions."),
        ("写个笑话", "作为一个人工智能语言模型，我无法写笑话。"), ("你怎么看？", "作为AI助手，我没有个人观点。"),
        ("打开网页", "很抱歉，我无法访问外部链接。"), ("帮我", "抱歉，我不能提供这方面的帮助。"),
        ("天气", "对不起，我目前无法提供实时天气信息。"), ("订票", "很抱歉，作为一名人工智能助手，我无法为您订票。"),
        ("心情", "我只是一个AI助手，没有情感。"), ("告诉我", "我无法满足您的请求。"),
        ("病", "非常抱歉，您的问题我暂时无法回答。"), ("That?", "I can't help you with that."),
    ),
    StepName.LOOP: (
        ("Describe it", _LONG + "It is a very nice place. " * 8), ("介绍", _ZH + "这里非常漂亮。" * 10),
        ("Go on", "and then the boat went on " * 12), ("继续", "我们继续往前走，" * 20),
        ("List", "\n".join(["- fresh fish"] * 12)), ("List fish", "Cod\n" + "Herring is a fish.\n" * 6),
        ("说明", "1. 打开软件\n" + "2. 点击确定按钮\n" * 8), ("Tell", _LONG + "the the the " * 40),
        ("笑", "他笑了，" + "哈哈" * 80), ("Story", "Once upon a time. " * 6), ("好吗", "好的" * 25),
        ("说明", "请看下面。" + "谢谢您。" * 8),
    ),
    StepName.TEMPLATE: (
        ("### Instruction:\nName a fish", "Cod"), ("Name a fish", "Cod\n### Response: Cod"),
        ("[INST] Name a fish [/INST]", "Cod"), ("Name a fish", "Cod<|im_end|>"), ("<|im_start|>user\nHi", "Hello"),
        ("Name one", "Cod</s>"), ("Human: Hi\nAssistant: Hello\nHuman: Name one", "Cod"),
        ("### 指令：\n说一种鱼", "鳕鱼"), ("用户：你好\n助手：你好\n用户：说一种鱼", "鳕鱼"), ("Say", "Hi<|eot_id|>"),
        ("<start_of_turn>user hi", "hello"), ("<<SYS>> be kind <</SYS>> hi", "hello"),
    ),
    StepName.LANGUAGE: (
        ("请介绍一下这座城市的港口和市场", _LONG), ("Please tell me about the harbour of this city.", _ZH),
        ("为什么天空是蓝色的呢？", "Because air scatters blue light more than red light does."),
        ("What should I eat before a long run?", "跑步之前可以吃一些香蕉和面包，不要太饱。"),
        ("Где находится старый порт города?", _LONG), ("如何照顾一只小猫？", "Feed it, keep it warm and let it sleep a lot."),
    ),
}  # fmt: skip

#: Rows that must stay untouched.
ALIKE: dict[StepName, Pairs] = {
    StepName.INVISIBLE: (
        ("Family?", "👨\u200d👩\u200d👧 it is"), ("Persian?", "می\u200cخواهم بروم"), ("Hindi?", "क्\u200dष"),
        ("Heart?", "❤\ufe0f yes"), ("Tab?", "a\tb\nc"), ("中文？", "全角　空格"), ("Hebrew?", "שלום \u200fabc"),
        ("Nbsp?", "10\u00a0km"), ("Flag?", "🏳️\u200d🌈"),
    ),
    StepName.GARBLED: (
        ("City?", "São Paulo"), ("Größe?", "Die Größe ist ‚groß‘."), ("Café?", "Un café, s’il vous plaît — « oui »."),
        ("名字？", "涓涓细流，鍛炼"), ("日本?", "横浜は港町です。浜辺もきれい。"), ("Привет?", "Привет, мир! Рыба и Саша."),
        ("Name?", "Ångström, Ærø, Îles"), ("繁體？", "門關車馬見貝長風龍鳥"), ("锟斤拷是什么？", "“锟斤拷”是乱码的一种。"),
        ("Math", "α ≤ β × 2² ± ½"), ("Viet", "Tiếng Việt rất đẹp"), ("Emoji", "😀 👍🏽 ok"), ("罕见字", "龘靐齉爩鱻麤"),
        ("Pt", "ÀÉÎÕÜ são maiúsculas"), ("人名", "王浣、李浜、张鏄"),
    ),
    StepName.HTML: (
        ("How do I make a div in HTML?", "Write <div>text</div> in the body."), ("怎么写网页标题？", "用 <h1>标题</h1> 标签。"),
        ("Type?", "Use std::vector<i> or List<String>."), ("Compare", "if a < b and c > d then stop"),
        ("Code?", "```\n<p>hello</p>\n```"), ("Inline?", "Call `a &amp; b` there."), ("AT&T?", "AT&T; R&D; Q&A;"),
        ("React component", "return <Button><p>Hi</p></Button>;"), ("Escape &amp;?", "Escape it as &amp;amp; in XML."),
        ("Fill in", "Dear <name>, welcome to <company>."), ("Think", "<think>Let me see.</think> 42"),
        ("<context>North</context> Where?", "North"), ("怎么转义？", "用 &lt; 表示小于号"), ("Mail", "Tom <tom@mail.com>"),
        ("JSX?", "<div className='a'>x</div>"), ("PHP", "<?php echo '<br>'; ?>"),
        ("Math", "if a<b and b>c then a<c"), ("vim", "press <Esc> then <CR>"), ("Loop", "for (i=0; i<n; i++) sum += a[i]>0;"),
        ("Keys", "Press <b>"), ("etc", "&c. means etc"), ("vue", "<p v-if='x'>hi</p>"), ("Template", "{% if x %}<p>{{ x }}</p>{% endif %}"), ("Generics", "Map<K, V> and Set<A>"),
    ),
    StepName.SHORT: (
        ("What is 6 times 7?", "42"), ("天是绿的吗？", "否"), ("Capital of France?", "Paris"), ("法国首都？", "巴黎"),
        ("Is it true?", "Yes"), ("对吗？", "是"), ("Translate: Hund", "dog"), ("翻译：cat", "猫"), ("Sentiment: I love it", "positive"),
        ("情感：太差了", "负面"), ("Moons of Venus?", "None"), ("有遗漏吗？", "无"), ("Which symbol ends a question?", "?"),
        ("Hi", "Hello!"), ("Is 3 <, > or = 5? Give the operator.", "<"), ("Reply with OK", "OK"), ("Which letter?", "B"),
        ("Opposite of hot?", "cold"), ("给我一个笑脸表情", "😊"), ("1+1=?", "2"), ("SQL for missing values? null or 0", "null"),
        ("元素符号：金", "Au"), ("π?", "3.14"), ("Grade?", "A+"), ("Temperature?", "-5°C"), ("几点？", "3:00"),
        ("最大的行星？", "木星"), ("Entities in 'I am here'?", "[]"), ("JSON of nothing", "{}"), ("How do you laugh online?", "lol"),
        ("测试的英文", "test"), ("Exam in other words?", "test"), ("Emotion?", "😡"), ("回复“收到”", "收到"), ("Rate 1-5", "5"),
        ("谢谢", "不客气"), ("Extract the fax number. " + _LONG * 3, "N/A"),
    ),
    StepName.REFUSAL: (
        ("My dog died.", "I'm sorry for your loss. Would you like to talk about it?"),
        ("My parcel is late.", "I apologize for the delay. Your parcel arrives tomorrow."),
        ("快递晚了", "非常抱歉给您带来不便，我们已经为您催促快递。"), ("客服", "抱歉让您久等了，请问有什么可以帮您？"),
        ("Who is she?", "As an AI researcher, she studies language models."),
        ("What is GPT?", "GPT is a language model that cannot browse by itself."),
        ("Write an apology", "Dear Anna, I'm sorry that I could not come to your party."),
        ("Can penguins fly?", "No, penguins cannot fly, but they swim well."), ("企鹅会飞吗？", "企鹅不能飞，但是擅长游泳。"),
        ("什么是人工智能？", "人工智能是让机器完成智能任务的学科。"), ("写道歉信", "对不起，昨天我不能参加您的聚会。"),
        ("你是谁？", "我是一个人工智能助手，可以回答您的问题。"), ("Who are you?", "I am an AI assistant. How can I help you?"),
        ("作为老师该怎么做？", "作为一名老师，我会先倾听学生。"), ("Refund?", "Sorry, this item is sold out until May."),
        ("AI in law?", "As AI language models improve, lawyers use them more."),
        ("退款", "抱歉，这款商品已经售罄，下周补货。"), ("翻译：I can't help you", "我帮不了你。"),
        ("a", "I'm sorry, but I can't remember the title of the book, it was blue."), ("b", "I cannot help but wonder why."),
        ("c", "Sorry I can't come tonight, I have to work late."), ("客服", "不好意思，我无法查询到您的订单，请提供订单号。"),
        ("d", "As an AI company, my startup grows."), ("e", "As a language model grows, it gets slower."),
        ("Order?", "I cannot complete this order today because the warehouse is closed until Monday."),
        ("File?", "I can't access this folder from here, so please copy the file to the desktop."),
        ("心理", "我不能回答你该不该离婚，但可以陪你聊聊。"), ("f", "作为人工智能专业的学生，我每天写代码。"),
        ("g", "作为AI产品经理，我负责规划。"), ("Dialogue", "“I’m sorry, I can’t help laughing,” she said."),
    ),
    StepName.LOOP: (
        ("Say it ten times", "I am happy. " * 10), ("把这句话重复五遍", "我很开心。" * 5), ("A song", "La la la la. " * 20),
        ("Table", "| a | b |\n| --- | --- |\n| 1 | 0 |\n| 2 | 0 |\n| 3 | 0 |\n| 4 | 0 |"),
        ("Matrix", "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"),
        ("Code", "```\n" + "print(1)\n" * 20 + "```"), ("Rule", "Title\n" + "-" * 200), ("Text", _LONG * 1 + _ZH),
        ("Steps", "\n".join(f"{n}. Open door {n} and go through." for n in range(1, 20))),
        ("Braces", "if (a) {\n  b;\n}\nelse {\n  c;\n}\nwhile (d) {\n  e;\n}\nfor (;;) {\n  f;\n}"),
        ("笑话", "哈哈哈哈哈哈，太好笑了"), ("答", "甲：对。乙：错。丙：对。丁：错。戊：对。"), ("列表", "第一步：洗菜。第二步：切菜。第三步：炒菜。第四步：装盘。第五步：上桌。"), ("诗", "床前明月光。" * 5),
        ("CSV", "id,name\n1,a\n1,a\n1,a\n1,a\n1,a"), ("DNA", "AT" * 90), ("Bits", "01" * 90), ("Cat", "/\\_/\\\n( o.o )\n > ^ <\n" * 3),
        ("Menu", "Fish soup - 10\nFish pie - 10\nFish cake - 10\nFish stew - 10"), ("Yes?", "Yes, yes, yes, of course! I would love to come and see the harbour with you and your friends."),
        ("Pi", "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"),
    ),
    StepName.TEMPLATE: (
        ("What does [INST] mean in the Llama prompt format?", "It opens an instruction."),
        ("提示词模板里的 <|im_start|> 是什么？", "它标记一轮的开始。"), ("Headings", "### Results\nGood.\n### Next steps\nGo."),
        ("Strike", "Use <s>old</s> for old text."), ("Pipe", "F# has <| and |> operators."), ("Role", "The user: a person."),
        ("Human rights", "Human: a member of the species."), ("输入法", "输入：用键盘打字。"),
        ("Markdown", "# Title\n## Section: one\ntext"), ("数学", "|a|<|b| 时成立"), ("Doc", "### Installation\nRun it."),
    ),
    StepName.LANGUAGE: (
        ("把“港口”翻译成英文", "harbour, a place where ships are safe from the sea"),
        ("How do you say good morning in Chinese?", "早上好，大家都这么说。"), ("法国的首都用英语怎么写？", "It is written as Paris, the capital."),
        ("写一段Python代码，求和", "def total(numbers):\n    return sum(numbers)\n"), ("公司叫什么名字？", "International Business Machines"),
        ("请介绍 Transformer 的 attention 机制", "Transformer 的 attention 机制让每个 token 关注其他 token。"),
        ("What is 港口?", "It is the Chinese word for a harbour where ships lie."), ("日本の港は？", "横浜港が有名です。とても大きい。"),
        ("写一个查询所有用户的语句", "SELECT name, email FROM users WHERE active = 1"), ("谁写的？", "Shakespeare"),
        ("港口在哪？", _ZH), ("Where is it?", _LONG), ("网址是多少", "https://example.com/a/very/long/path/to/it"),
    ),
}  # fmt: skip

#: Pairs of rows that say the same in other words or signs, and pairs that only look alike.
_EN_A = (
    "Photosynthesis is the process by which green plants turn light, water and carbon dioxide into sugar and oxygen. "
    "It happens in the leaves, where chlorophyll absorbs the light of the sun during the day."
)
_ZH_A = "光合作用是绿色植物利用阳光，把水和二氧化碳转化为糖和氧气的过程。它发生在叶片中，叶绿素在白天吸收太阳光，为植物的生长提供能量。"
NEAR: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (("What is photosynthesis?", _EN_A), ("what is photosynthesis", _EN_A)),
    (("What is photosynthesis?", _EN_A), ("What is photosynthesis?", _EN_A.replace("green ", ""))),
    (("What is photosynthesis?", _EN_A), ("What is photosynthesis?", _EN_A + " That is all.")),
    (("What is photosynthesis?", _EN_A), ("What is photosynthesis??", _EN_A.upper())),
    (("Explain photosynthesis.", _EN_A), ("Explain photosynthesis", "Sure! " + _EN_A)),
    (("Explain photosynthesis.", _EN_A), ("Explain photosynthesis.", _EN_A.replace("absorbs", "absorbes"))),
    (("什么是光合作用？", _ZH_A), ("什么是光合作用", _ZH_A.replace("，", ","))),
    (("什么是光合作用？", _ZH_A), ("什么是光合作用？", _ZH_A.replace("绿色植物", "植物"))),
    (("什么是光合作用？", _ZH_A), ("请问什么是光合作用？", _ZH_A)),
    (("什么是光合作用？", _ZH_A), ("什么是光合作用？", "好的。" + _ZH_A)),
    (("什么是光合作用？", _ZH_A), ("什么是光合作用？", _ZH_A.replace("过程", "一个过程"))),
    ((f"Summarise: {_EN_A}", "Plants make sugar."), (f"Summarise: {_EN_A}!", "Plants make sugar")),
)
NOT_NEAR: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    ((f"Is this right? {_EN_A}", "Yes"), (f"Is this right? {_EN_A}.", "No")),
    ((f"Sentiment of the text: {_EN_A}", "positive"), (f"Sentiment of this text: {_EN_A}", "negative")),
    (
        ("Tom has 3 apples and buys 4 more every day. How many are there in a week?", "He has 3 and 28, which makes 31 apples in all."),
        ("Tom has 5 apples and buys 4 more every day. How many are there in a week?", "He has 5 and 28, which makes 33 apples in all."),
    ),
    (("What is photosynthesis?", _EN_A), ("What is photosynthesis?", _EN_A.replace("absorbs", "does not absorb"))),
    (("What is photosynthesis?", _EN_A), ("What is respiration?", _EN_A[::-1])),
    (("What is photosynthesis?", _EN_A), ("Where does it happen, and what absorbs the light in plants?", _EN_A)),
    (("什么是光合作用？", _ZH_A), ("什么是光合作用？", _ZH_A.replace("发生在", "不发生在"))),
    ((f"这段话对吗？{_ZH_A}", "对"), (f"这段话对吗？{_ZH_A}", "错")),
    (("小明有三个苹果，又买了两个，现在一共有几个？", "三加二，一共有五个苹果。"), ("小明有四个苹果，又买了两个，现在一共有几个？", "四加二，一共有六个苹果。")),
    (("Translate to French: cat", "chat"), ("Translate to French: dog", "chien")),
    (("法国的首都？", "巴黎"), ("德国的首都？", "柏林")),
    (("Write a poem about the sea.", "Blue and wide,\nthe tide,\ncomes in."), ("Write a poem about the sky.", "High and light,\nthe night,\ngoes by.")),
    # one template, few rows of it: another subject in question and answer
    *(
        (tuple(part.format(one) for part in pair), tuple(part.format(other) for part in pair))
        for pair, one, other in (
            (("What should I do in the garden in {} so that the roses bloom well next year?", "In {} you should cut back the dead wood, feed the roses once, and keep the soil around them moist."), "March", "April"),
            (("Can I take {} together with grapefruit juice, or should I better avoid it?", "You should ask your doctor before you take {} with grapefruit juice, because it can change the effect of the drug."), "simvastatin", "lovastatin"),
            (("{}省的省会城市是哪里？请介绍一下这个省的地理位置和主要的风景名胜。", "{}省位于中国，省会城市交通便利，有很多著名的风景名胜，每年吸引大量游客前来观光旅游。"), "河南", "河北"),
            (("维修店在暑假期间星期{}下午开门营业吗？我想去修一下洗衣机。", "开门的，海港街的维修店在暑假期间星期{}下午正常营业，欢迎您带洗衣机过来修理。"), "六", "日"),
            (("For how many minutes do I have to boil the eggs that I bought this morning?", "You have to boil the eggs that you bought at the market for {} minutes in salted water."), "seven", "eleven"),
        )
    ),
    ((f"Summarise: {_EN_A}", "Plants make sugar from light and air, in leaves."), (f"Summarise: {_EN_A}", "It is how leaves turn sunshine into food.")),
)  # fmt: skip
