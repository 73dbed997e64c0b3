"""scikit-learn's BernoulliRBM (persistent CD with one step) on 784-1000.

  sklearn_peer.py --workload train-rbm --variant b100|b1000 [--steps N] [--threads 2]
"""
import sys
import warnings

import peer

a = peer.arguments(__doc__, ["fit"])
try:
    import numpy as np
    import sklearn
    from sklearn.neural_network import BernoulliRBM
except ImportError as e:
    peer.skip(f"{e}; pip install scikit-learn")
if a.workload != "train-rbm" or not a.batch:
    sys.exit("this peer does the workload train-rbm, variant b100 or b1000")

# As many examples as the updates take, at most an epoch; more are whole epochs.
n = min(a.steps * a.batch, peer.EPOCH)
epochs = max(1, a.steps * a.batch // n)
x = (np.random.default_rng(a.seed).random((n, peer.VISIBLE), dtype=np.float32) < 0.13).astype(np.float32)


def model(iterations):
    return BernoulliRBM(n_components=peer.HIDDEN, batch_size=a.batch, n_iter=iterations, learning_rate=0.05, random_state=0)


warnings.filterwarnings("ignore")
model(1).fit(x[:a.batch])
peer.serve(a, "scikit-learn", f"scikit-learn {sklearn.__version__}", lambda: model(epochs).fit(x), n * epochs, "examples", 10.0 * peer.VISIBLE * peer.HIDDEN)
