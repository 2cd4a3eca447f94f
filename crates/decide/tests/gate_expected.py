"""What scipy makes of the mathematics of the gates, as lines of JSON: an implementation that shares nothing with ours.

Each line is [what, arguments, expected]. Seeded, so that a failing line can be made again.
"""

import json
import sys

import numpy as np
from scipy import optimize, special, stats

rng = np.random.default_rng(int(sys.argv[1]))


def say(what, arguments, expected):
    print(json.dumps([what, [float(a) for a in arguments], [float(e) for e in expected]]))


def count(most):
    """A count whose size is drawn evenly by its logarithm."""
    return int(np.exp(rng.uniform(0, np.log(most + 1)))) - int(rng.random() < 0.3)


def gamma_and_beta():
    for _ in range(1500):
        x = float(np.exp(rng.uniform(np.log(1e-3), np.log(1e7))))
        say("ln_gamma", [x], [special.gammaln(x)])
    for _ in range(1500):
        a, b = np.exp(rng.uniform(np.log(0.5), np.log(1e6), 2))
        # Where something happens: within eight deviations of the mean.
        mean, deviation = stats.beta.mean(a, b), stats.beta.std(a, b)
        x = float(np.clip(mean + deviation * rng.uniform(-8, 8), 1e-12, 1 - 1e-12))
        say("beta_share", [x, a, b], [special.betainc(a, b, x)])


def intervals():
    for _ in range(1000):
        everything = count(100_000) + 1
        hits = int(rng.integers(0, everything + 1))
        alpha = float(rng.choice([0.1, 0.05, 0.01, 0.001]))
        found = stats.binomtest(hits, everything).proportion_ci(1 - alpha, "exact")
        say("exact_interval", [hits, everything, alpha], [found.low, found.high])


def changes():
    for _ in range(1000):
        before, after = count(3000) + 1, count(3000)
        spans = np.exp(rng.uniform(np.log(0.1), np.log(1e5), 2))
        found = stats.binomtest(after, before + after).proportion_ci(0.95, "exact")
        ratio = spans[0] / spans[1]
        ends = [share / (1 - share) * ratio - 1 if share < 1 else 1e308 for share in (found.low, found.high)]
        say("change", [before, spans[0], after, spans[1]], [after / before * ratio - 1, *ends])


def bets():
    # Against a ceiling a bet is the ratio of two binomial likelihoods.
    for _ in range(1500):
        requests = count(20_000) + 1
        share = float(rng.uniform(0.0005, 0.3))
        failures = int(rng.binomial(requests, min(1, share * rng.uniform(0, 4))))
        odds = float(np.exp(rng.uniform(np.log(0.05), np.log(1000))))
        other = odds * share / (1 - share + odds * share)
        expected = stats.binom.logpmf(failures, requests, other) - stats.binom.logpmf(failures, requests, share)
        if np.isfinite(expected):
            say("won_against_share", [odds, share, failures, requests], [expected])
    # Against the old release it is fair or worse: its mean under Fisher's distribution, summed over all that can be.
    for _ in range(1500):
        everything = count(3000) + 2
        requests = int(rng.integers(1, everything))
        failed = int(rng.integers(0, everything + 1)) if rng.random() < 0.5 else min(everything, count(30))
        odds = float(np.exp(rng.uniform(0, np.log(10_000))))
        drawn = stats.hypergeom(everything, failed, requests)
        support = np.arange(max(0, failed - (everything - requests)), min(failed, requests) + 1)
        mean = special.logsumexp(drawn.logpmf(support) + support * np.log(odds))
        say("mean_against_other", [odds, requests, failed, everything], [mean])


def boundaries():
    """For each number of failures, up to which number of requests they refute a ceiling, and how often a release that is exactly at
    the ceiling is refuted at some time, if it is looked at after each request: summed over all paths, not simulated."""
    above = [(0.2, 1.5), (0.2, 3), (0.2, 10), (0.2, 100), (0.2, 10_000)]
    requests = np.arange(1, 3001)
    for ceiling in (0.01, 0.05):
        for needed in (np.log(4 / 0.05), np.log(4 / 0.001)):
            def owned(failed, tried):
                each = [np.log(w) + failed * np.log(t) - tried * np.log1p(ceiling * (t - 1)) for w, t in above]
                return special.logsumexp(each, axis=0)

            limit = np.array([
                next(f for f in range(0, 3002) if owned(f, tried) >= needed) for tried in requests
            ])
            alive = np.zeros(3002)
            alive[0] = 1.0
            refuted = 0.0
            for tried, most in zip(requests, limit):
                alive[1:] = alive[1:] * (1 - ceiling) + alive[:-1] * ceiling
                alive[0] *= 1 - ceiling
                refuted += alive[most:].sum()
                alive[most:] = 0
            say("boundary", [ceiling, needed, refuted], [int(limit[at - 1]) for at in (10, 50, 100, 500, 1000, 3000)])


def shown():
    """The upper bound of a share that holds at any time, by scipy's root of the same bets."""
    passed = [(0.4, 0.0), (0.3, 0.1), (0.2, 0.25), (0.1, 0.5)]
    for _ in range(500):
        requests = count(20_000) + 1
        failures = int(rng.binomial(requests, rng.uniform(0, 0.05)))

        def owned(share):
            each = [
                np.log(w) + special.xlogy(failures, t) - requests * np.log1p(share * (t - 1)) for w, t in passed
            ]
            return special.logsumexp(each) - np.log(20)

        if owned(1 - 1e-12) > 0:
            root = optimize.brentq(owned, failures / requests, 1 - 1e-12, xtol=1e-12)
            say("shown", [failures, requests], [root])


for part in (gamma_and_beta, intervals, changes, bets, boundaries, shown):
    part()
