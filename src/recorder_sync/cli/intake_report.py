"""What came of an intake, on the terminal: a table, the problems, and the verdict."""

from rich.markup import escape
from rich.panel import Panel

from recorder_sync.catalogue.recordings import sealed_by_id
from recorder_sync.cli.intake_lines import SHOWN_ROWS
from recorder_sync.cli.screen import answers, name_and_flags, table
from recorder_sync.ingest.report import Report
from recorder_sync.language import T, tr
from recorder_sync.model import ItemOutcome, Recording
from recorder_sync.shown import span
from recorder_sync.station import Station


def show_report(report: Report, station: Station) -> None:
    """Print what was sealed, what is wrong, and whether the device may be taken.

    Raises NotFound where what was sealed is not in the catalogue any more.
    """
    zone = station.settings.station.zone
    sealed = sorted(report.sealed, key=lambda recording: recording.start)
    shown = [recording.id for recording in sealed[:SHOWN_ROWS]]
    if sealed:
        table(
            [tr("ID"), tr("Officer"), tr("Recorded"), tr("Length"), tr("On time"), tr("File")],
            (
                (
                    recording.id,
                    _officer(recording),
                    f"{recording.recorded.start.astimezone(zone):%m-%d %H:%M}",
                    span(recording.media.duration_s),
                    tr("on time") if recording.on_time else tr("LATE"),
                    name_and_flags(recording),
                )
                for recording in sealed_by_id(station.catalogue, shown)
            ),
            whole=(0, 2, 3, 4),
        )
        if len(sealed) > SHOWN_ROWS:
            answers.print(T("… and {count} more", count=len(sealed) - SHOWN_ROWS).shown)
    for item in report.items[: SHOWN_ROWS * 10]:
        if item.skipped is not None:
            answers.print(
                escape(T("skipped: {path}: {why}", path=item.path.shown, why=item.skipped).shown),
                style="dim",
            )
    _show_failures(report)
    answers.print(_verdict(report))


def _show_failures(report: Report) -> None:
    """Print each problem once, with the files that have it."""
    by_problem: dict[tuple[str, str], list[str]] = {}
    for outcome in report.of(ItemOutcome.FAILED):
        failure = outcome.failure
        if failure is not None:
            hint = failure.hint.shown if failure.hint else ""
            by_problem.setdefault((failure.text.shown, hint), []).append(outcome.path.shown)
    for (problem, hint), paths in by_problem.items():
        for path in paths[:SHOWN_ROWS]:
            answers.print(f"[bold red]✘[/] {escape(path)}: {escape(problem)}")
        if len(paths) > SHOWN_ROWS:
            answers.print(T("… and {count} more", count=len(paths) - SHOWN_ROWS).shown)
        if hint:
            answers.print(f"  → {escape(hint)}")


def _verdict(report: Report) -> Panel:
    device = report.identity.device
    failed = len(report.of(ItemOutcome.FAILED))
    lines = [
        T(
            "{device}: {sealed} sealed, {known} sealed earlier, {failed} failed, {skipped} skipped",
            device=T("Device {number}", number=device) if device else T("Unknown device"),
            sealed=len(report.sealed),
            known=len(report.of(ItemOutcome.ALREADY_SEALED)),
            failed=failed,
            skipped=sum(1 for item in report.items if item.skipped),
        ).shown
    ]
    if report.late:
        lines.append(
            T("{count} recording(s) came in late (Art. 21).", count=len(report.late)).shown
        )
    if report.in_conflict:
        lines.append(
            T(
                "{count} recording(s) whose sources disagree: recorder-sync recordings show ID",
                count=len(report.in_conflict),
            ).shown
        )
    if report.replacing:
        lines.append(
            T(
                "{count} recording(s) with other content than was sealed under the same name, "
                "size and time",
                count=len(report.replacing),
            ).shown
        )
    if not report.items:
        verdict, colour = tr("Nothing was found here. Is the card really mounted?"), "yellow"
    elif failed:
        verdict, colour = tr("DO NOT clear this device: not everything is in."), "red"
    else:
        verdict, colour = tr("Safe to take: everything on it is sealed."), "green"
    lines.insert(0, f"[bold {colour}]{escape(verdict)}[/]")
    return Panel(
        "\n".join(lines[:1] + [escape(line) for line in lines[1:]]),
        border_style=colour,
        expand=False,
    )


def _officer(recording: Recording) -> str | None:
    tag = recording.tags.officer
    return recording.officer_name or (tag.value if tag else None)
