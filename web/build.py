"""Build the page that paints in a visitor's browser: `make web`.

    python web/build.py [NET.keras] [-o FOLDER]     # by default shipped, results/web

The folder works on any static server, and opened from a disk. A page from a disk may load scripts
but fetch nothing, so the network and the runtime become scripts: base64 of gzip.
"""

import argparse
import base64
import gzip
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageOps

from nst_tutorial import NSTError
from nst_tutorial.fast import export_network, load_network
from nst_tutorial.fast.network import MARGIN, RIPPLE, STRIDE, make_waves

HERE = Path(__file__).parent
ROOT = HERE.parent
IMAGES, HANDOUT = ROOT / "images", ROOT / "results" / "handout"
PAGE = ("index.html", "style.css", "page.js", "pictures.js", "painter.js", "camera.js", "wipe.js")
PACKAGE = "onnxruntime-web"
RUNTIMES = {  # from the package: a script and its WebAssembly
    "wasm": ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgpu": ("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"),
    "jspi": ("ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm"),
}
SAMPLE, CROP, SAMPLE_SIZE, THUMBNAIL = "chelsea.png", (20, 0, 420, 300), (768, 576), 240


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Build the page that paints in a browser.")
    parser.add_argument("network", nargs="?", default="shipped", metavar="NET.keras")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "results" / "web")
    options = parser.parse_args(arguments)
    try:
        build(options.network, options.output)
    except NSTError as error:
        sys.exit(f"build.py: {error}")
    print(f"open {options.output / 'index.html'}")


def build(network, folder):
    """Fill a folder with the page and all that it loads."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "page.js").exists():
        raise NSTError(f"{folder} holds something else, which would be lost; name another folder.")
    network, dist = load_network(network, "float32"), install()
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("data", "styles"):
        (folder / part).mkdir(parents=True)
    for name in PAGE:
        shutil.copy(HERE / name, folder)
    for style in network.styles:
        write_thumbnail(style, folder / "styles" / f"{style}.jpg")
    write_network(network, folder)
    for name, (code, wasm) in RUNTIMES.items():
        packed = {f"{name}_code": pack(dist / code), f"{name}_wasm": pack(dist / wasm)}
        write_script(folder / "data" / f"{name}.js", packed)
    has_lessons = (HANDOUT / "index.html").exists()
    if has_lessons:
        shutil.copytree(HANDOUT, folder / "handout")
    write_gallery(network, has_lessons, folder / "data" / "gallery.js")


def install():
    """Install the runtime, in the version that package.json names; return its files' folder."""
    package = HERE / "node_modules" / PACKAGE
    if not is_installed(package):
        npm = shutil.which("npm")
        if not npm:
            raise NSTError("npm is missing; install Node.js, which brings it: apt-get install npm.")
        quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
        if subprocess.run([npm, "install", *quiet], cwd=HERE).returncode:
            raise NSTError(f"npm could not install {PACKAGE} {version()}; it says why above.")
    return package / "dist"


def is_installed(package):
    about = package / "package.json"
    return about.exists() and json.loads(about.read_text())["version"] == version()


def version():
    return json.loads((HERE / "package.json").read_text())["dependencies"][PACKAGE]


def write_thumbnail(style, path):
    """Cut the middle square out of a style's picture, and shrink it."""
    source = IMAGES / path.name
    if not source.exists():
        raise NSTError(f"style {style!r} has no picture: {source.relative_to(ROOT)} is missing.")
    with Image.open(source) as picture:
        square = ImageOps.fit(picture.convert("RGB"), (THUMBNAIL, THUMBNAIL))
    square.save(path, quality=85)


def write_network(network, folder):
    """Pack the network, and the script that runs it."""
    exported = folder / "network.onnx"
    export_network(network, exported)
    worker = (HERE / "worker.js").read_text("utf-8")
    write_script(folder / "data" / "network.js", {"network": pack(exported), "worker": worker})
    exported.unlink()


def pack(path):
    """Return a file's bytes as text: base64 of gzip."""
    return base64.b64encode(gzip.compress(path.read_bytes(), 6, mtime=0)).decode()


def write_script(path, texts):
    path.write_text(f"Object.assign(PACKED, {json.dumps(texts)});\n", "utf-8")


def write_gallery(network, has_lessons, path):
    """Write what the page shows: the styles, as the network names them, and the sample."""
    titles = {name: name.replace("_", " ").capitalize() for name in network.styles}
    gallery = {
        "margin": MARGIN,
        "stride": STRIDE,
        "ripple": RIPPLE,
        "waves": make_waves().tolist(),
        "styles": [
            {"name": name, "title": title, "thumbnail": f"styles/{name}.jpg"}
            for name, title in titles.items()
        ],
        "weights": network.count_params(),
        "runtime": f"ONNX Runtime Web {version()}",
        "sample": sample(),
        "lessons": has_lessons,
    }
    path.write_text(f"const GALLERY = {json.dumps(gallery)};\n", "utf-8")


def sample():
    """Return the photograph that is painted first, as an address that holds it."""
    whole = io.BytesIO()
    with Image.open(IMAGES / SAMPLE) as picture:
        part = picture.convert("RGB").crop(CROP)
        enlarged = part.resize(SAMPLE_SIZE, Image.Resampling.LANCZOS)
    enlarged.save(whole, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(whole.getvalue()).decode()}"


if __name__ == "__main__":
    main()
