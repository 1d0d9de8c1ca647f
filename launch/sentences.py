"""Every sentence that run.py can say, in English and in Chinese."""

import locale
import os
import sys

OLDEST = (3, 11)
NEWEST = (3, 13)

SENTENCES: "dict[str, tuple[str, str]]" = {
    "python_old": (
        "SoloTune needs Python 3.11, 3.12 or 3.13 and this is Python {version}: "
        "install Python 3.13 and start run.py with it.",
        "SoloTune 需要 Python 3.11、3.12 或 3.13，当前是 Python {version}：请安装 Python 3.13，再用它启动 run.py。",
    ),
    "python_new": (
        "SoloTune does not support Python {version} yet: install Python 3.13 beside it and start run.py with that one.",
        "SoloTune 暂不支持 Python {version}：请另外安装 Python 3.13，再用它启动 run.py。",
    ),
    "python_32": (
        "This is a 32-bit Python, which PyTorch does not support: install the 64-bit Python 3.13 "
        "and start run.py with it.",
        "当前是 32 位 Python，PyTorch 不支持：请安装 64 位的 Python 3.13，再用它启动 run.py。",
    ),
    "python_no_venv": (
        "This Python cannot make environments because its venv part is missing: install it, "
        "on Debian or Ubuntu with “sudo apt install python{version}-venv”, and run this again.",
        "当前 Python 缺少 venv 组件，无法创建环境：请先安装它"
        "（Debian 或 Ubuntu 上用“sudo apt install python{version}-venv”），再重新运行。",
    ),
    "mac_intel": (
        "PyTorch no longer supports Intel Macs: use a Mac with Apple silicon and a native (arm64) Python.",
        "PyTorch 已不再支持 Intel 芯片的 Mac：请使用 Apple 芯片的 Mac 和原生（arm64）Python。",
    ),
    "incomplete": (
        "This copy of SoloTune is incomplete because {file} is missing: get the whole folder again.",
        "SoloTune 文件夹不完整，缺少 {file}：请重新获取整个文件夹。",
    ),
    "read_only": (
        "SoloTune cannot write into its folder {folder}: move the folder to a place of your own, "
        "such as your home folder, and run it again.",
        "SoloTune 无法写入所在文件夹 {folder}：请把它移到您自己的目录（例如主目录），再重新运行。",
    ),
    "disk_full": (
        "There is not enough disk space for the set-up ({need} GB needed, {free} GB free at {folder}): "
        "free some space and run this again.",
        "磁盘空间不足，无法完成安装（需要 {need} GB，{folder} 剩余 {free} GB）：请清理空间后重新运行。",
    ),
    "disk_ran_out": (
        "The disk became full during the set-up: free some space and run this again, and it goes on where it was.",
        "安装过程中磁盘已满：请清理空间后重新运行，安装会从中断处继续。",
    ),
    "network": (
        "The package index could not be reached: check the internet connection and any proxy or mirror "
        "set for pip, then run this again; finished downloads are kept.",
        "无法连接软件包索引：请检查网络以及 pip 的代理或镜像设置，然后重新运行；已下载的内容会保留。",
    ),
    "certificate": (
        "The secure connection to the package index was not accepted: check this computer's clock and, "
        "behind a company proxy, pip's “cert” setting, then run this again.",
        "与软件包索引的安全连接未通过验证：请检查电脑时间；若使用公司代理，请检查 pip 的 cert 设置，然后重新运行。",
    ),
    "damaged": (
        "A download arrived damaged: run this again, and if it stays so, clear pip's store with “{pip} cache purge”.",
        "有下载文件已损坏：请重新运行；若仍然如此，请用“{pip} cache purge”清除 pip 缓存。",
    ),
    "in_use": (
        "A file in {folder} is in use: close every SoloTune window and run this again.",
        "{folder} 中有文件正被占用：请关闭所有 SoloTune 窗口后重新运行。",
    ),
    "long_path": (
        "The folder {folder} is too deep for Windows: move SoloTune to a short path such as C:\\SoloTune "
        "and run it again.",
        "文件夹 {folder} 的路径对 Windows 来说太长：请把 SoloTune 移到较短的路径（例如 C:\\SoloTune）后重新运行。",
    ),
    "no_build": (
        "The package index has no fitting build of a needed package for this system and Python {version}: "
        "check any mirror set for pip, and see {log} for the name.",
        "软件包索引中缺少适合当前系统和 Python {version} 的某个软件包：请检查 pip 的镜像设置，名称见 {log}。",
    ),
    "driver_old": (
        "The NVIDIA driver is too old for PyTorch: update it to version 560 or newer and run this again, "
        "or set the environment variable SOLOTUNE_TORCH=cpu to practise without the graphics card.",
        "NVIDIA 驱动过旧，PyTorch 无法使用：请更新到 560 或更高版本后重新运行；"
        "也可设置环境变量 SOLOTUNE_TORCH=cpu，不用显卡先练习。",
    ),
    "driver_newer": (
        "This graphics card needs NVIDIA driver version 580 or newer: update the driver and run this again, "
        "or set the environment variable SOLOTUNE_TORCH=cpu to practise without the card.",
        "这块显卡需要 580 或更高版本的 NVIDIA 驱动：请更新驱动后重新运行；"
        "也可设置环境变量 SOLOTUNE_TORCH=cpu，不用显卡先练习。",
    ),
    "bad_choice": (
        "SOLOTUNE_TORCH is “{value}”, which is not a known PyTorch build: use one of {builds}, or unset it.",
        "SOLOTUNE_TORCH 的值“{value}”不是已知的 PyTorch 版本：请改用 {builds} 之一，或取消该变量。",
    ),
    "other_setup": (
        "Another set-up is running in this folder; waiting until it is done…",
        "此文件夹中正在进行另一个安装，等待其完成……",
    ),
    "interrupted": (
        "Set-up was interrupted; run it again and it goes on where it was.",
        "安装被中断；重新运行即可从中断处继续。",
    ),
    "failed": (
        "Set-up failed at “{step}”; the log is at {log}; run this again to continue.",
        "安装在“{step}”这一步失败；日志在 {log}；重新运行即可继续。",
    ),
    "unexpected": (
        "SoloTune could not start ({error}): run “python run.py --debug” to see the details.",
        "SoloTune 无法启动（{error}）：运行“python run.py --debug”可查看详情。",
    ),
    "press_enter": ("Press Enter to close this window.", "按回车键关闭此窗口。"),
    "first_use": (
        "Setting up SoloTune; this is needed once and can take several minutes.",
        "正在安装 SoloTune；仅需一次，可能要几分钟。",
    ),
    "ready": ("Set-up is complete.", "安装完成。"),
    "left_unseen": (
        "Without a working environment only the shortcut could be removed; runs, models and settings, "
        "if there are any, are in {folders}.",
        "环境无法使用，只移除了快捷方式；训练记录、模型和设置（如果有）在 {folders}。",
    ),
    "uninstalled": (
        "SoloTune's environment is gone ({size} GB); the folder {folder} itself can be deleted.",
        "SoloTune 的环境已删除（{size} GB）；文件夹 {folder} 本身也可以删除了。",
    ),
    "step_venv": ("Making the Python environment", "创建 Python 环境"),
    "step_torch": ("Installing PyTorch {version} ({build})", "安装 PyTorch {version}（{build}）"),
    "step_project": ("Installing SoloTune's libraries", "安装 SoloTune 所需的库"),
    "step_dev": ("Installing SoloTune's libraries and the test tools", "安装 SoloTune 所需的库和测试工具"),
    "collecting": ("Looking up {what}", "查找 {what}"),
    "downloading": ("Downloading {what}", "下载 {what}"),
    "building": ("Preparing {what}", "准备 {what}"),
    "unpacking": ("Unpacking {what} packages", "解压 {what} 个软件包"),
}

_language = [0]


def use_chinese(yes: bool) -> None:
    """Choose the language of all later sentences."""
    _language[0] = 1 if yes else 0


def use_system_language() -> None:
    """Choose Chinese when the system speaks Chinese, and English otherwise."""
    use_chinese(is_chinese(_system_languages()))


def is_chinese(languages: "list[str]") -> bool:
    """Return whether the first language that is set is a Chinese one."""
    first = next((name.lower() for name in languages if name), "")
    return first.startswith(("zh", "chinese"))


def say(key: str, **values: object) -> str:
    """Return one sentence in the chosen language."""
    return SENTENCES[key][_language[0]].format(**values)


def python_problem(version: "tuple[int, ...]", is_64_bit: bool) -> str:
    """Return the sentence about an unsuitable Python, or nothing."""
    name = ".".join(str(part) for part in version[:2])
    if version[:2] < OLDEST:
        return say("python_old", version=name)
    if version[:2] > NEWEST:
        return say("python_new", version=name)
    return "" if is_64_bit else say("python_32")


class SetupError(Exception):
    """Something the person has to know; its text is the sentence to show."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say(key, **values))
        self.key = key


def _system_languages() -> "list[str]":
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return [*names, _windows_language(), _locale_name()]


def _windows_language() -> str:
    name = ""
    if sys.platform == "win32":
        import ctypes

        primary = ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF
        name = "zh" if primary == 0x04 else "en"
    return name


def _locale_name() -> str:
    try:
        return locale.getlocale()[0] or ""
    except ValueError:
        return ""
