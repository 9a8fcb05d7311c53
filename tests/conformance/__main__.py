"""`make conformance`: every entry on every sample; prints the counts, writes the page of the book."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance import suite

PAGE = Path(__file__).parents[2] / "book" / "conformance.md"


def main():
    reports = [suite.run(entry, ours) for entry, ours in suite.entries()]
    print(suite.table(reports))
    failures = [f"{report.name}: {failure}" for report in reports for failure in report.failures]
    failures += [f"no check failed for this reason: {r.entries}: {r.why}" for r in suite.unused()]
    if failures:
        return "\n".join(failures)
    PAGE.write_text(suite.page(reports), encoding="utf-8")
    print(f"Written: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
