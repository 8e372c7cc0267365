"""What people read of a verification: its findings, and what it says of the evidence.

What casts doubt on the log comes first, since the log is the measure of everything else.
Many findings of one kind are one matter: ten are shown, and the rest are counted.
"""

from datetime import tzinfo

from rich.markup import escape

from recorder_sync.cli.screen import answers, messages
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.inspection.verification import Scope, Verification
from recorder_sync.language import T, Text, tr
from recorder_sync.shown import amount, local

_MOST = 10
"""Findings of one kind and table that are shown."""

_FIRST = (FindingKind.LOG_BROKEN, FindingKind.CHECKPOINT_DIFFERS)


def show(result: Verification, zone: tzinfo, scope: Scope, *, bodies: bool) -> None:
    """Print a verification. `zone` is the station's, `bodies` says that content was read."""
    if result.earlier and result.began_at:
        messages.print(
            T(
                "Went on with the verification begun at {time}: {count} recording(s) had been "
                "re-read. --anew begins again.",
                time=local(result.began_at, zone),
                count=result.earlier,
            ).shown
        )
    for group in _grouped(result.findings):
        _show_group(group)
    if result.findings:
        answers.print(escape(_with_findings(result, zone).shown))
    if result.elsewhere:
        messages.print(
            T(
                "{count} recording(s) or documents are only in store {store}: not verified.",
                count=result.elsewhere,
                store=result.only_in or "-",
            ).shown,
            markup=False,
        )
    if not result.complete:
        messages.print(
            T(
                "Stopped after {checked} recording(s). Run the same command again; of everything, "
                "it goes on where it stopped.",
                checked=result.checked,
            ).shown
        )
    elif not result.findings and not result.checked and not scope.is_everything:
        answers.print(T("Nothing was sealed in this scope: nothing was verified.").shown)
    elif not result.findings:
        whole = _whole(result, zone, scope) if bodies else _not_re_read(result)
        answers.print("[bold green]✔[/] " + escape(whole.shown))


def _grouped(findings: list[Finding]) -> list[list[Finding]]:
    """Return the findings of each kind and table together, the most important first."""
    groups: dict[tuple[FindingKind, str | None], list[Finding]] = {}
    for finding in sorted(findings, key=lambda one: one.kind not in _FIRST):
        table = finding.row.table if finding.row else None
        groups.setdefault((finding.kind, table), []).append(finding)
    return list(groups.values())


def _show_group(group: list[Finding]) -> None:
    kind = f"[bold red]✘ {tr(group[0].kind.value)}[/]"
    for finding in group[:_MOST]:
        answers.print(f"{kind}  {escape(finding.path)}: {escape(finding.text.shown)}")
    if len(group) > _MOST:
        more = T("and {count} more (all with --json)", count=len(group) - _MOST)
        answers.print(f"{kind}  {escape(more.shown)}")


def _with_findings(result: Verification, zone: tzinfo) -> Text:
    if not result.skipped:
        return T(
            "{checked} recording(s) verified, {findings} finding(s). Touch nothing; tell the "
            "custodian, and keep this output.",
            checked=result.checked,
            findings=len(result.findings),
        )
    return T(
        "{count} recording(s) verified now, {findings} finding(s); {earlier} were whole when read "
        "since {time}, not read again. Touch nothing; tell the custodian, and keep this output.",
        count=result.re_read,
        findings=len(result.findings),
        earlier=result.skipped,
        time=local(result.began_at, zone),
    )


def _not_re_read(result: Verification) -> Text:
    return T(
        "{checked} recording(s): descriptions, sizes, protection, lists, catalogue and custody "
        "log are as they were sealed. Their content was not read.",
        checked=result.checked,
    )


def _whole(result: Verification, zone: tzinfo, scope: Scope) -> Text:
    if not scope.is_everything:
        return T(
            "{checked} recording(s), {size}: as they were sealed.",
            checked=result.checked,
            size=amount(result.size),
        )
    if not result.skipped:
        return T(
            "{checked} recording(s), {size}: whole, and nothing added or missing.",
            checked=result.checked,
            size=amount(result.size),
        )
    if not result.re_read:
        return T(
            "No recording read now: {earlier} were whole when read since {time}, not read again. "
            "Nothing added or missing.",
            earlier=result.skipped,
            time=local(result.began_at, zone),
        )
    return T(
        "{count} recording(s), {size}, read now and whole; {earlier} were whole when read since "
        "{time}, not read again. Nothing added or missing.",
        count=result.re_read,
        size=amount(result.size),
        earlier=result.skipped,
        time=local(result.began_at, zone),
    )
