"""Which distribution an imported module comes from, as data: names that differ, and what comes along."""

from __future__ import annotations

from collections.abc import Mapping

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "catboost": ("catboost",),
    "cairosvg": ("cairosvg",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu12"),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "google.cloud.storage": ("google-cloud-storage",),
    "google.protobuf": ("protobuf",),
    "hdbscan": ("hdbscan",),
    "imblearn": ("imbalanced-learn",),
    "jose": ("python-jose",),
    "jwt": ("pyjwt",),
    "keras": ("keras", "keras-nightly"),
    "Levenshtein": ("levenshtein", "python-levenshtein"),
    "lightgbm": ("lightgbm",),
    "llama_cpp": ("llama-cpp-python",),
    "magic": ("python-magic", "python-magic-bin"),
    "MySQLdb": ("mysqlclient",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"),
    "openvino": ("openvino", "openvino-dev"),
    "osgeo": ("gdal",),
    "paho": ("paho-mqtt",),
    "PIL": ("pillow", "pillow-simd"),
    "pkg_resources": ("setuptools",),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pyspark": ("pyspark",),
    "pytesseract": ("pytesseract",),
    "pytorch_lightning": ("pytorch-lightning", "lightning"),
    "sentence_transformers": ("sentence-transformers",),
    "serial": ("pyserial",),
    "setuptools": ("setuptools",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn", "scikit-learn-intelex"),
    "sklearnex": ("scikit-learn-intelex",),
    "skopt": ("scikit-optimize",),
    "slugify": ("python-slugify",),
    "soundfile": ("soundfile", "pysoundfile"),
    "surprise": ("scikit-surprise",),
    "talib": ("ta-lib",),
    "tensorflow": (
        "tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos", "tf-nightly",
        "tensorflow-aarch64",
    ),
    "tensorflow_hub": ("tensorflow-hub",),
    "tflite_runtime": ("tflite-runtime",),
    "torch": ("torch", "pytorch"),
    "ultralytics": ("ultralytics",),
    "umap": ("umap-learn",),
    "usb": ("pyusb",),
    "win32api": ("pywin32",),
    "whisper": ("openai-whisper",),
    "wx": ("wxpython",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
    "ruamel": ("ruamel-yaml",),
    "statsmodels": ("statsmodels",),
    "prophet": ("prophet",),
    "Crypto": ("pycryptodome", "pycrypto"),
    "OpenSSL": ("pyopenssl",),
    "mpl_toolkits": ("matplotlib",),
    "pylab": ("matplotlib",),
}  # fmt: skip

_NAMESPACES = frozenset({"google", "azure", "opentelemetry", "ruamel", "zope", "nvidia", "sphinxcontrib", "backports"})
"""Top-level names that many distributions share: nothing can be said of them."""

BRINGS: Mapping[str, tuple[str, ...]] = {
    "scikit-learn": ("scipy", "joblib", "threadpoolctl"),
    "imbalanced-learn": ("scikit-learn", "scipy", "joblib", "threadpoolctl"),
    "scikit-image": ("scipy", "pillow", "imageio", "networkx", "tifffile", "packaging"),
    "xgboost": ("scipy",),
    "lightgbm": ("scipy", "scikit-learn", "joblib"),
    "catboost": ("scipy", "matplotlib", "plotly"),
    "tensorflow": ("keras", "h5py", "protobuf", "absl-py", "tensorboard", "wrapt", "packaging"),
    "tensorflow-cpu": ("tensorflow", "keras", "h5py", "protobuf", "absl-py", "wrapt"),
    "keras": ("h5py", "absl-py"),
    "transformers": (
        "tokenizers", "huggingface-hub", "safetensors", "regex", "requests", "pyyaml", "tqdm", "filelock", "packaging",
    ),
    "sentence-transformers": (
        "torch", "transformers", "tokenizers", "huggingface-hub", "scikit-learn", "scipy", "tqdm", "pillow", "joblib",
    ),
    "diffusers": ("huggingface-hub", "safetensors", "pillow", "regex", "requests", "filelock"),
    "accelerate": ("torch", "psutil", "pyyaml", "huggingface-hub", "safetensors", "packaging"),
    "huggingface-hub": ("requests", "tqdm", "pyyaml", "filelock", "packaging"),
    "torch": ("jinja2", "networkx", "sympy", "filelock", "fsspec"),
    "torchvision": ("torch", "pillow"),
    "torchaudio": ("torch",),
    "pytorch-lightning": ("torch", "torchmetrics", "tqdm", "pyyaml", "packaging"),
    "lightning": ("torch", "torchmetrics", "tqdm", "pyyaml", "pytorch-lightning", "packaging"),
    "ultralytics": (
        "torch", "torchvision", "opencv-python", "pillow", "pyyaml", "requests", "scipy", "matplotlib", "psutil",
        "tqdm",
    ),
    "openvino": ("openvino-telemetry",),
    "onnxruntime": ("protobuf", "flatbuffers", "sympy", "packaging", "coloredlogs"),
    "statsmodels": ("scipy", "patsy", "packaging"),
    "prophet": ("cmdstanpy", "matplotlib", "holidays", "tqdm"),
    "pmdarima": ("scikit-learn", "scipy", "statsmodels", "joblib", "cython"),
    "sktime": ("scikit-learn", "scipy", "joblib"),
    "umap-learn": ("scikit-learn", "scipy", "numba", "pynndescent", "tqdm", "joblib"),
    "hdbscan": ("scikit-learn", "scipy", "joblib"),
    "shap": ("scikit-learn", "scipy", "numba", "tqdm", "cloudpickle"),
    "spacy": ("thinc", "srsly", "catalogue", "wasabi", "tqdm", "requests", "jinja2", "typer", "packaging", "cymem"),
    "nltk": ("regex", "click", "joblib", "tqdm"),
    "gensim": ("scipy", "smart-open"),
    "librosa": ("scipy", "scikit-learn", "joblib", "numba", "soundfile", "soxr", "audioread", "decorator", "pooch"),
    "matplotlib": ("pillow", "cycler", "kiwisolver", "pyparsing", "packaging", "fonttools"),
    "seaborn": ("matplotlib", "pillow"),
    "requests": ("urllib3", "certifi", "idna", "charset-normalizer"),
    "httpx": ("httpcore", "anyio", "certifi", "idna", "sniffio"),
    "boto3": ("botocore", "s3transfer", "jmespath"),
    "aiohttp": ("yarl", "multidict", "attrs", "frozenlist"),
    "langchain": ("langchain-core", "requests", "pyyaml", "sqlalchemy"),
    "datasets": ("huggingface-hub", "tqdm", "requests", "fsspec", "dill", "multiprocess", "xxhash", "aiohttp"),
    "timm": ("torch", "torchvision", "huggingface-hub", "safetensors", "pyyaml"),
    "peft": ("torch", "transformers", "accelerate", "safetensors", "huggingface-hub", "tqdm", "pyyaml"),
    "vllm": ("torch", "transformers", "tokenizers", "openai", "fastapi", "requests", "tqdm", "ray", "psutil"),
    "wallaroo": ("requests", "httpx", "polars", "matplotlib", "scipy", "pyjwt", "pyyaml", "tenacity", "seaborn"),
    "fastapi": ("starlette", "anyio"),
    "mlflow": ("scikit-learn", "scipy", "requests", "pyyaml", "matplotlib", "cloudpickle", "sqlalchemy", "packaging"),
}  # fmt: skip
"""What a distribution is known to install along with it."""


def is_shared(module: str) -> bool:
    """Whether many distributions share the module's top-level name, so that nothing can be said of it."""
    return module.partition(".")[0] in _NAMESPACES


def candidates(module: str) -> frozenset[str]:
    """The normalised names of the distributions that a module may come from."""
    root = module.partition(".")[0]
    known = _OTHER_NAMES.get(module) or _OTHER_NAMES.get(root)
    plain = root.lower().replace("_", "-")
    return frozenset({plain, plain.replace("-", ""), f"python-{plain}", *(known or ())})


def distribution(module: str) -> str:
    """The distribution to name in advice for a module."""
    root = module.partition(".")[0]
    known = _OTHER_NAMES.get(module) or _OTHER_NAMES.get(root)
    return known[0] if known else root.replace("_", "-")


def certain(module: str) -> str | None:
    """The distribution that a module can only come from; None where there are several to choose from, or none known."""
    root = module.partition(".")[0]
    if is_shared(module) and module not in _OTHER_NAMES:
        return None
    if module in _CHOICES or root in _CHOICES:
        return None
    known = _OTHER_NAMES.get(module) or _OTHER_NAMES.get(root)
    if known:
        return known[0]
    plain = root.lower().replace("_", "-")
    return plain if plain in BRINGS or plain in _BROUGHT else None


_CHOICES = frozenset(
    {"cv2", "faiss", "onnxruntime", "openvino", "psycopg2", "magic", "tensorflow", "pkg_resources", "xgboost"}
)
"""Modules of several distributions that people choose between: with or without graphics cards, windows, a compiler."""

_BROUGHT = frozenset(each for brought in BRINGS.values() for each in brought)
