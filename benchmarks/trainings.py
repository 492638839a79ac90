"""The pages of trainings with 1,000 recorded runs against 10, in one run: `python -m benchmarks.trainings`.

Writes benchmarks/trainings.json. Wanted: at most 3 times the time, and 10 statements (which the tests hold to).
"""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.pages import median_ms
from tests.stack import running
from tests.visitor import Visitor

RESULTS = Path(__file__).with_name("trainings.json")
SOWN = """
from datetime import timedelta
from django.utils import timezone
from deployments.models import Deployment, Training
place = Deployment.objects.get(uuid="{uuid}")
now = timezone.now()
Training.objects.bulk_create(
    Training(owner_id=place.owner_id, deployment=place, module_slug=place.module_slug, model="alpine_flora",
             uuid="%032x" % number, status="done",
             arguments={{"dataset": "/srv", "epochs": number, "rate": number / 7}},
             result={{"loss": 1 / number}}, metrics={{"loss": 1 / number}}, duration=timedelta(seconds=number),
             started_at=now - timedelta(minutes=number), seen_at=now)
    for number in range({first}, {last}))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), extra={"LOG_LEVEL": "WARNING"}) as stack:
        visitor = Visitor(stack.url).sign_in("ada")
        form = visitor.get("/module/deep-oc-alpine-flora")
        place = visitor.submit(form, "/module/", ("action", "deploy"), title="Measured").url.removeprefix(stack.url)
        while "Ready" not in visitor.get(f"{place}?fresh=1").words:
            pass
        visitor.get(f"{place}/training?fresh=1")
        measured: dict[int, dict[str, float]] = {}
        for first, last in ((1, 11), (11, 1001)):
            stack.manage("shell", "-c", SOWN.format(uuid=place.rsplit("/", 1)[1], first=first, last=last))
            keys = visitor.get("/training").tree.xpath("//input[@name='run']/@value")[:10]
            pages = {
                "list": "/training",
                "search": "/training?q=flora&status=done",
                "training tab with chart": f"{place}/training",
                "comparison of 10 with charts": "/training/compare?" + "&".join(f"run={key}" for key in keys),
            }
            measured[last - 1] = {
                name: median_ms(lambda path=path: visitor.get(path))  # type: ignore[misc]
                for name, path in pages.items()
            }
    few, many = measured[10], measured[1000]
    results = {
        name: {"ms with 10": few[name], "ms with 1000": many[name], "ratio": round(many[name] / few[name], 2)}
        for name in few
    }
    text = f"{json.dumps(results, indent=2)}\n"
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
