"""From a symptom to its cause and what to do: situations that logs tell of, and examinations of the machine."""

from __future__ import annotations

from hullmark._doctor.ending import Ending
from hullmark._doctor.examine import examine
from hullmark._doctor.patient import Patient
from hullmark._doctor.read import read
from hullmark._doctor.repair import repair, repairs
from hullmark._doctor.situations import catalogue as situations

__all__ = ["Ending", "Patient", "examine", "read", "repair", "repairs", "situations"]
