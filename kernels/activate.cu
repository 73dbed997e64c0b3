// Activations f(y) and their slopes f'(y), see engine.Activation.At. All but the sigmoid
// are computed in double and rounded once.
#include "activations.cuh"
#include "device.cuh"

struct Activated {
  double h, slope;
};

// exp(u) for u <= 0, of relative error 2^-52: u = n log 2 + f with |f| <= log 2 / 2, and
// exp f by its series; the first term left out is below 2^-57 of the sum. NaN stays.
__device__ inline double exp_below(double u) {
  if (u != u || u < -700) return u != u ? u : 0; // exp(-700) is 0 in float, whatever it is multiplied with
  double n = rint(u * 1.4426950408889634);
  double f = fma(n, -1.9082149292705877e-10, fma(n, -0.6931471803691238, u));
  double sum = 1.0 / 6227020800;
  sum = fma(sum, f, 1.0 / 479001600);
  sum = fma(sum, f, 1.0 / 39916800);
  sum = fma(sum, f, 1.0 / 3628800);
  sum = fma(sum, f, 1.0 / 362880);
  sum = fma(sum, f, 1.0 / 40320);
  sum = fma(sum, f, 1.0 / 5040);
  sum = fma(sum, f, 1.0 / 720);
  sum = fma(sum, f, 1.0 / 120);
  sum = fma(sum, f, 1.0 / 24);
  sum = fma(sum, f, 1.0 / 6);
  sum = fma(sum, f, 0.5);
  sum = fma(sum, f, 1.0);
  sum = fma(sum, f, 1.0);
  return sum * __longlong_as_double((long long)(n + 1023) << 52);
}

// Below this, series of a few terms are exact enough where a difference would not be.
constexpr double SMALL = 1.0 / 4096;

// exp(y) - 1 for y <= 0.
__device__ inline double expm1_below(double y) {
  if (y > -SMALL) return y * fma(y, fma(y, 1.0 / 6, 0.5), 1.0);
  return exp_below(y) - 1;
}

// 1/(1+exp(-y)).
__device__ inline double logistic(double y) {
  double t = exp_below(y < 0 ? y : -y);
  return (y < 0 ? t : 1) / (1 + t);
}

// y f where f vanishes faster than any y grows.
__device__ inline double times_of(double y, double f) { return f == 0 ? 0 : y * f; }

// The normal distribution function: erfc(x) exp(x x) (1 + 2x) with x = |y| / sqrt 2 is a
// polynomial in (x - 3.5) / (x + 3.5), through the Chebyshev nodes, of relative error
// 1e-15.
__device__ inline double normal_below(double y) {
  double x = (y < 0 ? -y : y) * 0.7071067811865476;
  double t = x < 1e9 ? (x - 3.5) / (x + 3.5) : 1;
  double sum = 7.2132644396390315e-09;
  sum = fma(sum, t, 1.0030545739155852e-09);
  sum = fma(sum, t, -8.117699237840823e-08);
  sum = fma(sum, t, -9.428959238585939e-09);
  sum = fma(sum, t, 5.810615852658273e-07);
  sum = fma(sum, t, -4.19728063362064e-08);
  sum = fma(sum, t, -3.7970126268470686e-06);
  sum = fma(sum, t, 2.3263767242668642e-06);
  sum = fma(sum, t, 2.425121770328888e-05);
  sum = fma(sum, t, -4.278121618763583e-05);
  sum = fma(sum, t, -0.00012150900859663406);
  sum = fma(sum, t, 0.0005643840816872345);
  sum = fma(sum, t, -0.0003022686165316216);
  sum = fma(sum, t, -0.004215019838810882);
  sum = fma(sum, t, 0.019099331035263255);
  sum = fma(sum, t, -0.04882332583619322);
  sum = fma(sum, t, 0.08798315381890046);
  sum = fma(sum, t, -0.11508959815967594);
  sum = fma(sum, t, 0.09751909515340762);
  sum = fma(sum, t, -0.010555596332230981);
  sum = fma(sum, t, -0.14000918013762004);
  sum = fma(sum, t, 1.2423492448711544);
  double outside = 0.5 * sum * exp_below(-0.5 * y * y) / (1 + 2 * x);
  return y < 0 ? outside : 1 - outside;
}

__device__ inline Activated rectified(double y, double below) {
  if (!(y <= 0)) return {y, 1};
  return {below == 0 ? 0 : below * y, below};
}

__device__ inline Activated clipped(double y, double low, double high, double within) {
  if (y <= low) return {low, 0};
  if (y >= high) return {high, 0};
  return {y, within};
}

__device__ inline Activated tanh_of(double y) {
  double u = y < 0 ? -y : y, t = exp_below(-2 * u);
  double h = u < SMALL ? u * fma(u * u, -1.0 / 3, 1.0) : (1 - t) / (1 + t);
  return {y < 0 ? -h : h, 4 * t / ((1 + t) * (1 + t))};
}

__device__ inline Activated gelu_of(double y) {
  double below = normal_below(y);
  return {times_of(y, below), below + times_of(y, 0.3989422804014327 * exp_below(-0.5 * y * y))};
}

__device__ inline Activated gelu_tanh_of(double y) {
  const double scale = 0.7978845608028654, cubic = 0.044715;
  double s = logistic(2 * scale * (y + cubic * y * y * y));
  return {times_of(y, s), s + times_of(2 * y * scale * (1 + 3 * cubic * y * y), s * (1 - s))};
}

__device__ inline Activated silu_of(double y) {
  double s = logistic(y);
  return {times_of(y, s), s + times_of(y, s * (1 - s))};
}

// log(1 + exp(y)) = max(y, 0) + log(1 + t), t = exp(-|y|).
__device__ inline Activated softplus_of(double y) {
  double t = exp_below(y < 0 ? y : -y);
  double above = t < SMALL ? t * fma(t, fma(t, 1.0 / 3, -0.5), 1.0) : log_of(1 + t);
  return {t != t ? t : above + (y < 0 ? 0 : y), logistic(y)};
}

__device__ inline Activated hard_swish_of(double y) {
  if (y < -3) return {0, 0};
  if (y <= 3) return {y * (y / 6 + 0.5), y / 3 + 0.5};
  return {y, 1};
}

struct Nonlinearity {
  Activation kind;
  float alpha, beta, low, high;
};

// below is the slope of PReLU.
__device__ inline Activated activated(const Nonlinearity &f, float below, double y) {
  switch (f.kind) {
  case Activation::TANH: return tanh_of(y);
  case Activation::RELU: return rectified(y, 0);
  case Activation::LEAKYRELU: return rectified(y, f.alpha);
  case Activation::PRELU: return rectified(y, below);
  case Activation::ELU:
    if (y > 0) return {y, 1};
    return {f.alpha * expm1_below(y), f.alpha * exp_below(y)};
  case Activation::GELU: return gelu_of(y);
  case Activation::GELUTANH: return gelu_tanh_of(y);
  case Activation::SILU: return silu_of(y);
  case Activation::SOFTPLUS: return softplus_of(y);
  case Activation::HARDSIGMOID: return clipped((double)f.alpha * y + (double)f.beta, 0, 1, f.alpha);
  case Activation::HARDSWISH: return hard_swish_of(y);
  case Activation::CLIP: return clipped(y, f.low, f.high, 1);
  default: return {y, 1};
  }
}

// h[i] = f(y[i]) and, unless slope is null, slope[i] = f'(y[i]); h may be y. h, slope and y
// [count], slopes [channels], of which a row has share columns each.
KERNEL activate(float *h, float *slope, const float *y, int kind, float alpha, float beta, float low, float high,
                const float *slopes, int channels, int share, long long count) {
  Nonlinearity f = {(Activation)kind, alpha, beta, low, high};
  for (long long i = first_element(); i < count; i += element_step()) {
    if (f.kind == Activation::SIGMOID) {
      float s = sigmoid_of(y[i]);
      h[i] = s;
      if (slope) slope[i] = s * (1 - s);
      continue;
    }
    Activated a = activated(f, slopes ? slopes[i / share % channels] : 0, y[i]);
    h[i] = (float)a.h;
    if (slope) slope[i] = (float)a.slope;
  }
}
