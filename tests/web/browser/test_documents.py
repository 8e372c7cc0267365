"""Documents of a case in a browser: chosen, sent, sealed while one looks on, and kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import Dock, MediaFiles
from tests.documents.handing_in import PDF, paper
from tests.web import duties
from tests.web.browser.conftest import Screen
from tests.web.served import Service


@pytest.fixture
def service(dock: Dock, tmp_path: Path, media_files: MediaFiles) -> Iterator[Service]:
    served = Service(dock, "run")
    served.configure(
        ingest={"immutable": False},
        station={"language": "zh_CN"},
        documents={"largest_mib": 1},
        paths={"runtime": str(tmp_path / "run")},
        web={"enabled": True},
    )
    duties.make(dock, tmp_path, media_files)
    duties.accounts(dock)
    for title, kind, number, stage, item, by in PAPERS:
        file = paper(tmp_path, PDF + title.encode(), f"{title}.pdf")
        given = ["--title", title, "--kind", kind, "--by", by]
        given += ["--number", number] if number else []
        given += ["--stage", stage] if stage else []
        given += ["--item", item] if item else []
        assert dock.run("cases", "documents", "add", duties.CASE, file, *given).code == 0
    with served:
        yield served


PAPERS = (
    ("立案审批表", "approval document", "冀石执立〔2026〕17号", "start", None, "王芳"),
    ("现场检查（勘验）笔录", "investigation document", None, None, "7.3", "王芳"),
    ("询问笔录（张某）", "investigation document", None, None, "7.2", "李明"),
    ("送达回证", "service document", None, None, "9.1", "王芳"),
)


def test_a_written_record_is_handed_in_and_a_recording_names_it(
    screen: Screen, service: Service, tmp_path: Path
) -> None:
    page = screen.sign_in("custodian")
    screen.open(f"/cases/{duties.CASE}")
    screen.picture("documents")
    page.get_by_role("button", name="提交", exact=True).click()
    large = tmp_path / "大文件.pdf"
    large.write_bytes(b"%PDF-" + bytes(1 << 20))
    page.set_input_files("#f-file", large)
    expect(page.locator("[data-problem]")).to_be_visible()
    page.fill("#f-title", "")
    file = paper(tmp_path, PDF + "决定".encode(), "行政处罚决定书.pdf")
    page.set_input_files("#f-file", file)
    expect(page.locator("[data-problem]")).to_be_hidden()
    expect(page.locator("#f-title")).to_have_value("行政处罚决定书")
    page.select_option("#f-kind", "issued document")
    page.fill("#f-number", "冀石执罚〔2026〕17号")
    page.select_option("#f-item", "8.5")
    screen.picture("hand-in")
    page.get_by_role("button", name="提交并封存").click()
    expect(page.locator(".notice.good")).to_contain_text("行政处罚决定书")
    new = page.locator(".documents li.new")
    expect(new).to_contain_text("冀石执罚〔2026〕17号")
    new.locator("summary").click()
    screen.picture("document-sealed")
    with page.expect_download() as kept:
        new.get_by_role("link", name="下载").click()
    assert kept.value.path().read_bytes() == file.read_bytes()
    assert kept.value.suggested_filename.endswith("行政处罚决定书.pdf")

    new.get_by_role("button", name="更正").click()
    dialog = page.locator("#correct-document")
    expect(dialog.locator("#c-title")).to_have_value("行政处罚决定书")
    expect(dialog.locator("#c-item")).to_have_value("8.5")
    dialog.locator("#c-title").fill("行政处罚决定书（副本）")
    dialog.locator("#c-reason").fill("录入有误")
    screen.picture("correct-document")
    dialog.locator("button.primary").click()
    corrected = page.locator(".documents li:target")
    expect(corrected).to_contain_text("行政处罚决定书（副本）")
    expect(corrected.locator(".badge")).to_contain_text("已更正")
    corrected.locator("summary").click()
    expect(corrected.locator(".corrected")).to_contain_text(
        "行政处罚决定书 → 行政处罚决定书（副本）"
    )
    screen.picture("document-corrected")

    page.locator("tr[data-to^='/recordings/'] a").first.click()
    page.locator("[data-opens=name-document]").click()
    page.locator("#f-document").select_option(label="行政处罚决定书（副本） · 冀石执罚〔2026〕17号")
    page.locator("#name-document button.primary").click()
    expect(page.locator("dl.facts", has_text="案由")).to_contain_text("行政处罚决定书")
    screen.picture("recording-with-document", "desk")
    page.locator("dl.facts a", has_text="行政处罚决定书").click()
    expect(page.locator(".documents li:target")).to_contain_text("行政处罚决定书")
