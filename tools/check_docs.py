"""Finds links in the documentation that lead nowhere: files, and headings in them.

Addresses outside the repository are not visited.
"""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings make, as code hosts write them."""
    headings = _HEADING.findall(_FENCE.sub("", text))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def dead_links(page: Path) -> list[str]:
    """Return the links of one page that lead nowhere."""
    dead = []
    text = _FENCE.sub("", page.read_text("utf-8"))
    for link in _LINK.findall(text):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target) if target else page
        is_page = file.suffix == ".md" and file.is_file()
        if not file.exists() or (anchor and is_page and anchor not in anchors(file.read_text())):
            dead.append(link)
    return dead


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = 0
    for name in listed.stdout.split():
        for link in dead_links(_ROOT / name):
            found += 1
            print(f"{name}: {link} leads nowhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
