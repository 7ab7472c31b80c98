"""Write docs/reference/openapi.json anew: `PYTHONPATH=tests python -m support.openapi`."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hostloom.api.v1 import create_api
from support.server import running

FILE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def main() -> None:
    with TemporaryDirectory() as directory, running(Path(directory)) as server:
        document = create_api(server.ports).openapi()
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
