"""Recordings in a browser: found, played, marked, handed out; everyone sees only theirs."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Card, Dock, MediaFiles
from tests.web.browser.conftest import Screen
from tests.web.evidence import HOSTILE, PLAYED, clip, furnish, with_text
from tests.web.served import Service

NAME = PLAYED.rpartition("/")[2]


@pytest.fixture(scope="session")
def furnished(
    tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles
) -> tuple[Dock, dict[str, str]]:
    """A station that every test here takes a copy of."""
    folder = tmp_path_factory.mktemp("furnished")
    dock = Dock(folder)
    dock.configure(ingest={"reserve_mib": 0, "immutable": False})
    return dock, furnish(dock, folder, media_files)


@pytest.fixture
def service(dock: Dock, furnished: tuple[Dock, dict[str, str]]) -> Iterator[Service]:
    dock.take_over(furnished[0].state.parent)
    served = Service(dock)
    served.configure(ingest={"reserve_mib": 0, "immutable": False})
    with served:
        served.account("keeper", "custodian")
        served.account("fang", "officer", "--officer", "000001")
        yield served


@pytest.fixture
def ids(furnished: tuple[Dock, dict[str, str]]) -> dict[str, str]:
    return furnished[1]


def in_chinese(screen: Screen) -> None:
    screen.page.context.add_cookies(
        [{"name": "language", "value": "zh_CN", "url": screen.service.address}]
    )


def played_to(page: Page, second: float) -> None:
    """Wait until the film has really come so far."""
    page.evaluate(
        """(second) => new Promise((arrived, failed) => {
            const player = document.querySelector("video");
            player.muted = true;
            const look = () => player.currentTime >= second && arrived();
            player.addEventListener("timeupdate", look);
            player.addEventListener("error", () => failed(player.error.message));
            setTimeout(() => failed(`only at ${player.currentTime}`), 15000);
            player.play().then(look, failed);
        })""",
        second,
    )


def pictures_ready(page: Page, count: int) -> None:
    expect(page.locator("img.thumb")).to_have_count(count, timeout=60_000)
    broken = page.evaluate(
        "Promise.all([...document.querySelectorAll('img.thumb')].map((i) =>"
        " i.decode().then(() => 0, () => 1))).then((all) => all.reduce((a, b) => a + b, 0))"
    )
    assert broken == 0


def test_a_recording_is_found_and_its_picture_is_made(screen: Screen, ids: dict[str, str]) -> None:
    in_chinese(screen)
    page = screen.sign_in("keeper")
    page.click("nav.side a[href='/recordings']")
    expect(page.locator("tbody tr")).to_have_count(len(ids))
    screen.picture("recordings-list")
    page.fill("#quick", "王芳")
    page.press("#quick", "Enter")
    expect(page.locator("tbody tr")).to_have_count(5)
    page.click("a[href*='view=sheet']")
    pictures_ready(page, 5)
    screen.picture("recordings-sheet")
    page.goto(f"{screen.service.address}/recordings?view=sheet&name=page")
    expect(page.locator(".no-thumb")).to_have_count(1)
    expect(page.get_by_text("无法为此文件生成图片")).to_be_visible(timeout=60_000)
    page.goto(f"{screen.service.address}/recordings?device=CAM002")
    page.click("[data-opens=save-search]")
    page.fill("#save-search input[name=name]", "二中队")
    page.click("#save-search button.primary")
    page.goto(f"{screen.service.address}/recordings")
    screen.picture("recordings-saved", "desk")
    page.get_by_role("link", name="二中队").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_the_film_plays_and_is_bookmarked_where_it_stands(
    screen: Screen, ids: dict[str, str]
) -> None:
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{ids[NAME]}")
    played_to(page, 0.5)
    page.click("[data-bookmark-here]")
    second = float(page.input_value("#f-second"))
    assert 0.5 <= second <= 4
    page.select_option("#f-bookmark-kind", "scene")
    page.fill("#f-note", "当事人在门口")
    page.click("#bookmark button.primary")
    expect(page.locator(".bookmarks")).to_contain_text("当事人在门口")
    page.locator(".bookmarks button[data-seek]").first.click()
    played_to(page, second)
    box = page.locator("[data-bar]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    played_to(page, 3.1)
    page.evaluate("document.querySelector('video').pause()")
    page.click("[data-opens=marks]")
    page.check("#marks input[name=important][value=yes]")
    page.check("#marks input[name=notified]")
    page.fill("#f-notified-second", "1")
    page.select_option("#f-mark-item", "7.3")
    screen.picture("recording-marks", "desk", "phone")
    page.click("#marks button.primary")
    expect(page.get_by_text("现场检查（勘验）").first).to_be_visible()
    screen.picture("recording")
    page.screenshot(path=screen._pictures / "recording-whole.png", full_page=True)
    page.click("a[rel=next]")
    expect(page).to_have_url(re.compile(ids["DCAM_CAM001_000001_20261123_100030.mp4"]))


def test_what_no_browser_plays_gets_a_preview_that_says_so(
    screen: Screen, ids: dict[str, str]
) -> None:
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{ids['DCAM_CAM001_000001_20261123_130000.avi']}")
    expect(page.locator(".preview-mark")).to_be_visible(timeout=60_000)
    played_to(page, 0.3)
    page.evaluate("document.querySelector('video').currentTime = 2")
    played_to(page, 2.1)
    screen.picture("recording-preview", "panel")
    page.click("[data-opens=export]")
    page.fill("#f-export-reason", "会议演示")
    with page.expect_download(timeout=60_000) as told:
        page.click("#export button[formaction]")
    path = told.value.path()
    assert path.read_bytes()[4:8] == b"ftyp"
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert probed.stdout.split() == ["h264", "aac"]


def test_sound_that_no_browser_plays_gets_a_preview_that_says_so(
    screen: Screen, service: Service, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    spoken = tmp_path / "note.wav"
    coding = ("-c:a", "adpcm_ima_wav", str(spoken))
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", media_files.audio, *coding], check=True
    )
    card.put("DCIM/DCAM_CAM001_000001_20261123_140000.wav", spoken)
    (taken,) = service.dock.ingest(card).json["recordings"]
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{taken['id']}")
    expect(page.locator(".preview-mark")).to_be_visible(timeout=60_000)
    expect(page.locator(".preview-note")).to_contain_text("原件未作任何改动")
    page.evaluate(
        """() => new Promise((arrived, failed) => {
            const player = document.querySelector("audio");
            player.muted = true;
            player.addEventListener("timeupdate", () => player.currentTime >= 0.5 && arrived());
            player.addEventListener("error", () => failed(player.error.message));
            player.play().catch(failed);
        })"""
    )
    screen.picture("recording-sound", "desk", "phone")
    page.click("[data-opens=export]")
    page.fill("#f-export-reason", "会议演示")
    with page.expect_download(timeout=60_000) as told:
        page.click("#export button[formaction]")
    assert told.value.suggested_filename == f"preview-{taken['id']}.m4a"
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format_tags=title", "-of", "csv=p=0",
         told.value.path()], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "keeper" in probed.stdout
    assert taken["id"] in probed.stdout


def test_art_29_the_way_within_a_film_is_drawn_and_followed(
    screen: Screen, service: Service, card: Card, tmp_path: Path
) -> None:
    texts = [
        f"ZFY0031 N{38.0423 + n * n / 90_000:.6f} E{114.5149 + n / 9_000:.6f}" for n in range(20)
    ]
    film = clip(tmp_path / "film.mp4", seconds=20)
    walked = with_text(tmp_path / "walked.mp4", film, texts)
    card.put("DCIM/DCAM_CAM001_000001_20261123_150000.mp4", walked)
    (taken,) = service.dock.ingest(card).json["recordings"]
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{taken['id']}")
    expect(page.locator("svg.track")).to_be_visible(timeout=60_000)
    expect(page.locator(".tracked")).to_contain_text("20 个位置")
    expect(page.locator("[data-now-words]")).to_have_text("38.0423, 114.5149")
    start = page.locator("svg.track .start").get_attribute("cx")
    assert page.locator("[data-now]").get_attribute("cx") == start
    played_to(page, 0.3)
    page.evaluate("document.querySelector('video').currentTime = 9.5")
    page.evaluate("document.querySelector('video').pause()")
    expect(page.locator("[data-now-words]")).to_have_text("38.0432, 114.5159")
    page.reload()
    expect(page.locator("svg.track polyline")).to_have_count(1)
    page.locator("#position").scroll_into_view_if_needed()
    screen.picture("recording-track")
    log = service.dock.run("custody", "log", "--json").json["entries"]
    assert any(e["facts"].get("what") == "positions" for e in log if e["act"] == "view")


def test_a_damaged_file_and_a_hostile_name_are_shown_plainly(
    screen: Screen, ids: dict[str, str]
) -> None:
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{ids['page.mp4']}")
    expect(page.get_by_text("此文件无法在此显示")).to_be_visible()
    screen.picture("recording-damaged", "desk")
    page = screen.open(f"/recordings/{ids[HOSTILE]}")
    expect(page.get_by_text("onerror=alert(1)").first).to_be_visible()
    page.get_by_text("文件自身信息").click()
    expect(page.get_by_text("<script>alert(2)</script>")).to_be_visible()


def test_tags_are_corrected_and_a_check_runs(screen: Screen, ids: dict[str, str]) -> None:
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{ids['DCAM_CAM001_000001_20261123_110000.jpg']}")
    expect(page.locator("img.whole")).to_be_visible()
    page.click("[data-opens=correct]")
    page.fill("#f-case", "2026-9")
    page.fill("#f-tag-reason", "wrong case")
    page.click("#correct button.primary")
    expect(page.get_by_role("link", name="2026-9")).to_be_visible()
    expect(page.get_by_text("wrong case").first).to_be_visible()
    page.click("form[action$='/check'] button")
    expect(page.get_by_text("it is as it was sealed")).to_be_visible(timeout=30_000)


def test_a_copy_downloads_and_stands_by_itself(
    screen: Screen, ids: dict[str, str], tmp_path: Path
) -> None:
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{ids[NAME]}")
    page.click("[data-opens=export]")
    page.fill("#f-export-reason", "for the court")
    with page.expect_download() as told:
        page.click("#export button.primary")
    with zipfile.ZipFile(told.value.path()) as archive:
        archive.extractall(tmp_path / "copy")
    key = (screen.service.dock.state / "custody" / "verifier-key").read_text("utf-8").strip()
    tool = Path(__file__).parents[3] / "tools" / "verify_evidence.py"
    checked = subprocess.run(
        [sys.executable, tool, "export", tmp_path / "copy", "--verifier", key],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_several_are_ticked_and_copied_together(
    screen: Screen, ids: dict[str, str], tmp_path: Path
) -> None:
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open("/recordings")
    expect(page.locator("#copy")).to_be_hidden()
    page.locator("tbody .tick input").nth(0).check()
    page.locator("tbody .tick input").nth(2).check()
    expect(page.locator(".copy-count")).to_have_text("已选 2 条")
    screen.picture("recordings-ticked")
    page.fill("#f-copy-reason", "案卷移送")
    with page.expect_download() as told:
        page.click("#copy button.primary")
    with zipfile.ZipFile(told.value.path()) as archive:
        assert sum(name.endswith(".proof.json") for name in archive.namelist()) == 2
    page = screen.open("/recordings?view=sheet")
    pictures_ready(page, len(ids) - 1)
    page.click("[data-all-of-page]")
    expect(page.locator(".copy-count")).to_have_text(f"已选 {len(ids)} 条")
    screen.picture("recordings-sheet-ticked")
    page.click("[data-none-of-page]")
    expect(page.locator("#copy")).to_be_hidden()


def test_a_recording_and_a_case_are_held_and_released(screen: Screen, ids: dict[str, str]) -> None:
    in_chinese(screen)
    screen.sign_in("keeper")
    page = screen.open(f"/recordings/{ids[NAME]}")
    page.click("[data-opens=hold-dialog]")
    page.fill("#f-hold-reason", "当事人提起行政诉讼，法院来函")
    screen.picture("hold-dialog", "panel", "phone")
    page.click("#hold-dialog button.primary")
    expect(page.locator("#hold")).to_contain_text("法院来函")
    expect(page.locator("#history")).to_contain_text("法院来函")
    page.locator("#hold").scroll_into_view_if_needed()
    screen.picture("hold-recording")
    page = screen.open("/cases/冀石执〔2026〕7号")
    page.click("[data-opens=hold-dialog]")
    page.fill("#f-hold-reason", "行政复议期间")
    page.click("#hold-dialog button.primary")
    expect(page.locator("#hold")).to_contain_text("行政复议期间")
    screen.picture("hold-case")
    page.click("nav.side a[href='/holds']")
    expect(page.locator("tbody tr")).to_have_count(2)
    screen.picture("holds")
    page.click("a[href='/recordings?held=yes']")
    expect(page.locator("tbody tr")).to_have_count(len(ids) - 1)
    screen.picture("recordings-held", "desk")
    page = screen.open(f"/recordings/{ids[NAME]}")
    page.click("[data-opens=release-dialog]")
    page.fill("#f-release-reason", "撤诉")
    page.click("#release-dialog button.danger")
    expect(page.locator("#history")).to_contain_text("撤诉")
    expect(page.locator("#hold")).to_contain_text("行政复议期间")


def test_an_officer_sees_only_what_is_theirs(screen: Screen, ids: dict[str, str]) -> None:
    screen.sign_in("fang")
    page = screen.open("/recordings")
    expect(page.locator("tbody tr").first).to_be_visible()
    assert ids["DCAM_CAM002_000002_20261123_093000.mp4"] not in page.content()
    page = screen.open(f"/recordings/{ids['DCAM_CAM002_000002_20261123_093000.mp4']}")
    expect(page.get_by_role("alert")).to_contain_text("no sealed recording")
