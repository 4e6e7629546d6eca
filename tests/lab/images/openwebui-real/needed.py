"""Prints what the installed Open WebUI requires, without what it only needs to run models itself and to read scanned pages."""

import re
from importlib.metadata import requires

# with torch, which some of them need, two thirds of all
LEFT_OUT = (
    "accelerate",
    "faster-whisper",
    "opencv-python-headless",
    "pyarrow",
    "rapidocr",
    "sentence-transformers",
    "transformers",
)

for line in requires("open-webui") or ():
    if "extra ==" not in line and re.split(r"[^\w.-]", line)[0].lower() not in LEFT_OUT:
        print(line)
