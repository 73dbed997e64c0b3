// An update of a layer's parameters, see engine.ContrastiveDivergence and
// engine.Denoise: with every rounding in the order of their definitions, which are
// written with products, column means and passes over elements.
//
// W, its velocity and its step are [hidden, visible]. A gradient has two sides, data
// and model, each with states of hidden and visible units, [rows, hidden] and
// [rows, visible].
#include "tile.cuh"

// norms[i] = |a[i] - b[i]|, and difference = a - b, which may be a or b itself; null: not
// wanted. norms [rows], the others [rows, cols].
KERNEL differences(float *norms, float *difference, const float *a, const float *b, int rows, int cols) {
  for (long long i = first_row(); i < rows; i += row_step()) {
    double sum = 0;
    for (long long j = lane_of(); j < cols; j += WARP) {
      float d = a[i * cols + j] - b[i * cols + j];
      if (difference) difference[i * cols + j] = d;
      sum += (double)d * (double)d;
    }
    sum = warp_sum(sum);
    if (lane_of() == 0) settle(norms + i, sqrt(sum), 1, 0);
  }
}

// How weights move by a step, whose products are done.
struct Move {
  float *step;     // null: the velocity is the step
  float *velocity;
  float *weight;
  float momentum;  // with a step of its own
  float decay;     // factor of the weights in the step; 0: none
};

// Ends the step y of element e.
__device__ inline void move(const Move &m, long long e, float y) {
  float w = m.weight[e];
  if (m.decay != 0) y = fmaf(m.decay, w, y);
  if (m.step) {
    m.step[e] = y;
    if (m.momentum != 0) y = fmaf(1, y, m.momentum * m.velocity[e]);
  }
  m.velocity[e] = y;
  m.weight[e] = w + y;
}

// step = data_rate data_hidden' data_visible + model_rate model_hidden' model_visible,
// and then, unless weight is null,
//
//   step += decay W
//   velocity = momentum velocity + step
//   W += velocity
//
// step null: the sums are added to momentum velocity instead of making a step of their
// own first. ProductBlocks(hidden, visible) blocks.
KERNEL learn_weights(float *step, float *velocity, float *weight, const float *data_hidden, const float *data_visible,
                     int data_rows, float data_rate, const float *model_hidden, const float *model_visible,
                     int model_rows, float model_rate, int hidden, int visible, float momentum, float decay) {
  __shared__ __align__(16) float sums[TILE_ROWS][STRIDE], data_sums[TILE_ROWS][STRIDE];
  Tile tile(visible);
  Move m = {step, velocity, weight, momentum, decay};
  block_sums<true, false>(data_sums, Factors{data_hidden, hidden, data_visible, visible, hidden, visible, data_rows}, tile);
  block_sums<true, false>(sums, Factors{model_hidden, hidden, model_visible, visible, hidden, visible, model_rows}, tile);
#pragma unroll 1
  for (int i = tile.own_row; i < tile.own_row + OWN && tile.row + i < hidden; i++) {
#pragma unroll 1
    for (int j = tile.own_column; j < tile.own_column + OWN && tile.column + j < visible; j++) {
      long long e = (long long)(tile.row + i) * visible + tile.column + j;
      float y = scaled(data_rate, data_sums[i][j], step ? 0 : momentum, velocity + e);
      y = fmaf(model_rate, sums[i][j], y);
      if (weight) {
        move(m, e, y);
      } else {
        step[e] = y;
      }
    }
  }
}

// Scales rows of step that are longer than limit down to it; then as learn_weights:
// step += decay W, velocity = momentum velocity + step, W += velocity.
KERNEL learn_limited(float *step, float *velocity, float *weight, int hidden, int visible, float limit, float momentum,
                     float decay) {
  Move m = {step, velocity, weight, momentum, decay};
  for (long long i = first_row(); i < hidden; i += row_step()) {
    double length = sqrt(warp_dot(step + i * visible, step + i * visible, visible)), scale = (double)limit / length;
    bool longer = (float)length > limit;
    for (long long j = lane_of(); j < visible; j += WARP) {
      long long e = i * visible + j;
      move(m, e, longer ? (float)((double)step[e] * scale) : step[e]);
    }
  }
}

// x + alpha by, as the definition adds a row to every row: by a product over one term.
__device__ inline float shifted(float x, float alpha, float by) { return fmaf(alpha, 0.0f + by, x); }

// The mean of column j of x [rows, cols], of shift(x); what that gives is written to
// the column of to, if it is not null.
template <class Shift>
__device__ inline double column_mean(float *to, const float *x, int rows, int cols, int j, Shift shift) {
  double sum = 0;
  for (long long i = 0; i < rows; i++) {
    float value = shift(x[i * cols + j]);
    if (to) to[i * cols + j] = value;
    sum += (double)value;
  }
  return sum / rows;
}

// Biases of one kind of units.
struct Biases {
  float *bias, *velocity;
  const float *data;  // [data_rows, units]
  float *shifted;     // what of the data is shifted goes here
  float *model;       // [model_rows, units]; null: there is no such side
  int units, data_rows, model_rows;
  float rate, momentum;
  bool follow;        // false: the velocity only
};

// Updates bias j, with the sides shifted by these functions if shift is set.
template <class Data, class Model>
__device__ inline void learn_bias(const Biases &b, int j, bool shift, Data data, Model model) {
  double mean = column_mean(shift ? b.shifted : nullptr, b.data, b.data_rows, b.units, j, data);
  float v = b.velocity[j];
  settle(&v, mean, b.rate, b.momentum);
  if (b.model) {
    mean = column_mean(shift ? b.model : nullptr, b.model, b.model_rows, b.units, j, model);
    settle(&v, mean, -b.rate, 1);
  }
  b.velocity[j] = v;
  if (b.follow) b.bias[j] += v;
}

// The biases of hidden and visible units, after what sparsity and centering do to
// the two sides. A thread has a column. In this order, mean is over a side's rows:
//
//   q = keep q + share mean data_hidden             unless q is null
//   data_hidden += push - cost q                    unless cost is 0
//   data_hidden -= q, model_hidden -= q             unless center is null
//   centered = data_visible - center, model_visible -= center     the same
//   velocity = momentum velocity + rate mean data - rate mean model
//   bias += velocity                                if center is null
//
// hidden_bias, hidden_velocity, q [hidden]; visible_bias, visible_velocity, center
// [visible]; centered as data_visible. model_hidden and model_visible null: there is
// no such side. Blocks(hidden + visible) blocks.
KERNEL learn_biases(float *hidden_bias, float *hidden_velocity, float *data_hidden, float *model_hidden, float *q,
                    float *visible_bias, float *visible_velocity, const float *data_visible, float *centered,
                    float *model_visible, const float *center, int hidden, int visible, int data_rows, int model_rows,
                    float rate, float momentum, float share, float keep, float cost, float push) {
  auto same = [](float x) { return x; };
  for (long long e = first_element(); e < (long long)hidden + visible; e += element_step()) {
    if (e >= hidden) {
      int j = (int)(e - hidden);
      Biases b = {visible_bias, visible_velocity, data_visible, centered, model_visible, visible,
                  data_rows,    model_rows,       rate,         momentum, !center};
      float mu = center ? center[j] : 0;
      auto away = [=](float x) { return center ? shifted(x, -1, mu) : x; };
      learn_bias(b, j, center, away, away);
      continue;
    }
    int j = (int)e;
    Biases b = {hidden_bias, hidden_velocity, data_hidden, data_hidden, model_hidden, hidden,
                data_rows,   model_rows,      rate,        momentum,    !center};
    float activity = 0;
    if (q) {
      activity = q[j];
      settle(&activity, column_mean(nullptr, data_hidden, data_rows, hidden, j, same), share, keep);
      q[j] = activity;
    }
    float toward = fmaf(-cost, activity, push);
    auto away = [=](float x) { return center ? shifted(x, -1, activity) : x; };
    auto pushed = [=](float x) { return away(cost != 0 ? shifted(x, 1, toward) : x); };
    learn_bias(b, j, center || cost != 0, pushed, away);
  }
}

// Takes from the biases of a centered layer what its step means for them:
//
//   hidden_velocity -= step center,  hidden_bias += hidden_velocity
//   visible_velocity -= step' q,     visible_bias += visible_velocity
//
// A thread has a bias, and sums over the other side in ascending order.
// Blocks(hidden + visible) blocks.
KERNEL learn_uncentered(float *hidden_bias, float *hidden_velocity, const float *q, float *visible_bias,
                        float *visible_velocity, const float *center, const float *step, int hidden, int visible) {
  for (long long e = first_element(); e < (long long)hidden + visible; e += element_step()) {
    bool of_hidden = e < hidden;
    long long j = of_hidden ? e : e - hidden, stride = of_hidden ? 1 : visible;
    const float *column = step + (of_hidden ? j * visible : j), *by = of_hidden ? center : q;
    int terms = of_hidden ? visible : hidden;
    float sum = 0;
    for (long long t = 0; t < terms; t++) sum = fmaf(by[t], column[t * stride], sum);
    float *velocity = (of_hidden ? hidden_velocity : visible_velocity) + j;
    float *bias = (of_hidden ? hidden_bias : visible_bias) + j;
    float v = *velocity - sum;
    *velocity = v;
    *bias += v;
  }
}
