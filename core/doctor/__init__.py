"""The doctor: whether this computer is ready, each finding with a fix, and a zip for those who help."""

from core.doctor.examine import Examination
from core.doctor.judge import judge
from core.doctor.readings import Readings
from core.doctor.worth import doctor_for

__all__ = ["Examination", "Readings", "doctor_for", "judge"]
