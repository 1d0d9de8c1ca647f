"""The system's dialogs for files and folders."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from core.data.read import suffixes
from core.i18n import _

#: Where NVIDIA's drivers are.
DRIVER_PAGE = "https://www.nvidia.com/drivers"


def choose_files(parent: QWidget) -> list[str]:
    """Ask for data files; empty when the user changed their mind."""
    endings = " ".join(f"*{suffix}" for suffix in suffixes())
    kinds = f"{_('Data files')} ({endings});;{_('All files')} (*)"
    return QFileDialog.getOpenFileNames(parent, _("Choose data"), str(Path.home()), kinds)[0]


def choose_folder(parent: QWidget, title: str, start: Path) -> Path | None:
    """Ask for a folder; None when the user changed their mind."""
    found = QFileDialog.getExistingDirectory(parent, title, str(start))
    return Path(found) if found else None


def choose_new_file(parent: QWidget, title: str, start: Path) -> Path | None:
    """Ask where to save a file; None when the user changed their mind."""
    found = QFileDialog.getSaveFileName(parent, title, str(start), f"{start.suffix} (*{start.suffix})")[0]
    return Path(found) if found else None


def open_driver_page() -> None:
    """Show in the browser where NVIDIA's drivers are."""
    QDesktopServices.openUrl(QUrl(DRIVER_PAGE))


def open_folder(folder: Path) -> None:
    """Show a folder, or a file, in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
