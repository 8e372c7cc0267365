"""Alerts leave the machine: mail, WeCom, DingTalk, Feishu, webhooks, syslog, desktop."""
