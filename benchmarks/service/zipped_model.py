"""A model's folder as the archive that the service takes."""

import io
import zipfile
from pathlib import Path


def zipped(folder: Path) -> bytes:
    """The archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for file in sorted(folder.iterdir()):
            if file.is_file():
                target.write(file, f"model/{file.name}")
    return content.getvalue()
