"""What of the user pages is not in all languages: ``make lint`` fails on any of it.

    python tools/untranslated.py               everything below; exit status 1 when there is something
    python tools/untranslated.py --templates   words in templates outside of translate tags
    python tools/untranslated.py --code        sentences in Python modules outside of gettext
    python tools/untranslated.py --catalogues  entries missing, with other placeholders or words that are not ours;
                                               catalogues out of date
    python tools/untranslated.py --summary     how many findings each file has

The administration, what operators read (doctor, checks, logs, commands) and texts that come from outside stay as they
are: see docs/languages.md.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepdash.settings")

from tools.translating import catalogues, code, templates  # noqa: E402 - needs the path above


def main() -> int:
    parser = argparse.ArgumentParser(description="What of the user pages is not in all languages.")
    for name in ("templates", "code", "catalogues", "summary"):
        parser.add_argument(f"--{name}", action="store_true")
    asked = parser.parse_args()
    everything = not (asked.templates or asked.code or asked.catalogues)
    findings = []
    if asked.templates or everything:
        findings += templates.findings(ROOT)
    if asked.code or everything:
        findings += code.findings(ROOT)
    if asked.catalogues or everything:
        findings += catalogues.findings(ROOT)
    if asked.summary:
        for path, number in sorted(Counter(finding.path for finding in findings).items()):
            print(f"{number:5}  {path}")
    else:
        for finding in findings:
            print(finding)
    print(f"{len(findings)} to be translated." if findings else "Everything users see is in all languages.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
