"""The product [512, 1000] x [1000, 1000]' by the OpenBLAS of numpy or of scipy.

  openblas_peer.py --workload product [--mode numpy|scipy] [--steps 50] [--threads 2]
"""
import os
import sys

import peer

a = peer.arguments(__doc__, ["numpy", "scipy"])
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(a.threads)
try:
    import numpy as np
    if a.mode == "scipy":
        import scipy
        from scipy.linalg import blas
except ImportError as e:
    peer.skip(f"{e}; pip install numpy scipy")
if a.workload != "product":
    sys.exit("this peer does the workload product only")

rows, inner, cols = peer.PRODUCT
rng = np.random.default_rng(a.seed)
x = rng.standard_normal((rows, inner), dtype=np.float32)
w = rng.standard_normal((cols, inner), dtype=np.float32)
out = np.empty((rows, cols), dtype=np.float32)

if a.mode == "numpy":
    def product():
        np.matmul(x, w.T, out=out)
else:
    # BLAS is column-major: out' = w x', with the arrays as they lie in memory.
    def product():
        blas.sgemm(1.0, w.T, x.T, trans_a=1, c=out.T, overwrite_c=1)


def work():
    for _ in range(a.steps):
        product()


for _ in range(3):
    product()
expected = x[:2].astype(np.float64) @ w.T.astype(np.float64)
if not np.allclose(out[:2], expected, rtol=1e-3, atol=1e-2):
    sys.exit("the product is wrong")
module = np if a.mode == "numpy" else scipy
peer.serve(a, f"{a.mode}-openblas", f"{module.__name__} {module.__version__}", work, a.steps, "products", 2.0 * rows * inner * cols)
