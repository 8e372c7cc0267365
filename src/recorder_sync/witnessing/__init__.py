"""Checkpoints leave the machine: witnesses, time stamps, messages, and what they answer."""
