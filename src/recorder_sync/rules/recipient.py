"""Who may be told of an alert (`escalation.py` says when)."""

from enum import StrEnum


class Recipient(StrEnum):
    OFFICER = "officer"
    CUSTODIAN = "custodian"
    TEAM_LEADER = "team-leader"
    SUPERVISOR = "supervisor"
