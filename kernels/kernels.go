// Package kernels holds the CUDA kernels of the GPU device as PTX, and knows how
// they are called. It has no code that runs on a card by itself: package gpu
// loads an image and launches its entries.
//
// # Conventions
//
// Matrices are float32, row-major. A matrix parameter that has a stride may have
// longer rows in memory than columns; stride is the distance between rows, in
// elements. One without a stride is contiguous. Pointers are device addresses,
// aligned to their element. "null" says that a pointer may be 0, and then what
// it means. Sizes (m, n, k, rows, cols) are int, 0 or more, at most 2^31-1, but no
// entry is launched with an empty grid: with nothing to do, don't launch.
//
// A result's bits depend on the row it belongs to, never on the grid, on the
// number of rows, or on the row's place; sums over rows (column_means, learn_biases)
// run in ascending order.
//
// Every block has [Threads] threads along x. The products, and learn_weights, need
// exactly [ProductBlocks] blocks along x; all other entries are correct with any number,
// and [Blocks] or [RowBlocks] is as many as are of use. No entry needs dynamic
// shared memory.
//
// # Random numbers
//
// The last parameters of an entry that draws are those of an engine.Stream:
//
//	keys     const unsigned long long *  [rows], the rows' identities
//	seed     unsigned long long
//	purpose  unsigned int                engine.Purpose
//	step     unsigned int
//
// # Products
//
//	gemm_nn  dst = epilogue(alpha a  b  + beta dst)   a [m, k], b [k, n]
//	gemm_nt  dst = epilogue(alpha a  b' + beta dst)   a [m, k], b [n, k]
//	gemm_tn  dst = epilogue(alpha a' b  + beta dst)   a [k, m], b [k, n]
//	gemm_tt  dst = epilogue(alpha a' b' + beta dst)   a [k, m], b [n, k]
//
// launched with ProductBlocks(m, n) blocks, and all with the parameters
//
//	dst                 float *                     [m, n]; only written if beta is 0
//	dst_stride          long long
//	a                   const float *               as above
//	a_stride            long long
//	b                   const float *               as above
//	b_stride            long long
//	m, n, k             int, int, int               k may be 0
//	alpha, beta         float, float
//	epilogue            int                         an engine.EpilogueKind, or EpilogueGaussian
//	bias                const float *               [n], added to every row; null adds nothing
//	hidden              const float *               [m, n], EpilogueDerivative only, else null
//	hidden_stride       long long
//	probability         float *                     [m, n], EpilogueBernoulli and EpilogueGaussian only,
//	                                                where means come here; null: not wanted
//	probability_stride  long long
//	held                const int *                 [m], EpilogueBernoulli only: the column of each row
//	                                                whose state is 1, NaN stays; -1 for none; null: none
//	squares             double *                    [m, ColumnTiles(n)], EpilogueNorms only, else null:
//	                                                sums of squares for finish_norms
//	keys, seed, purpose, step                       EpilogueBernoulli and EpilogueGaussian only, else 0
//
// With EpilogueDerivative hidden may be dst itself.
//
// EpilogueNorms needs a second launch, of Blocks(m) blocks, that turns the sums
// into norms:
//
//	finish_norms  norms[i] = sqrt(sum over t of squares[i][t])
//	    norms    float *         [m]
//	    squares  const double *  [m, tiles]
//	    m        int
//	    tiles    int             ColumnTiles(n)
//
// # Element by element
//
// dst may be x itself. Blocks(count) blocks.
//
//	sigmoid  dst[i] = 1/(1+exp(-x[i]))
//	    dst    float *        [count]
//	    x      const float *  [count]
//	    count  long long
//
//	axpby  dst[i] = alpha x[i] + beta dst[i]; with beta 0 dst is only written
//	    dst    float *        [count]
//	    alpha  float
//	    x      const float *  [count]
//	    beta   float
//	    count  long long
//
//	times  dst[i] = dst[i] x[i]
//	    dst    float *        [count]
//	    x      const float *  [count]
//	    count  long long
//
//	activate  h[i] = f(y[i]), slope[i] = f'(y[i]); h may be y itself
//	    h            float *        [count]
//	    slope        float *        [count]; null: not wanted
//	    y            const float *  [count]
//	    kind         int            an engine.ActivationKind
//	    alpha, beta  float, float   of engine.Activation
//	    low, high    float, float
//	    slopes       const float *  [channels], PReLU only: of element i, that of channel
//	                                i / share % channels
//	    channels     int
//	    share        int            columns of a channel
//	    count        long long
//
//	fill  dst[i] = value
//	    dst    float *  [count]
//	    value  float
//	    count  long long
//
// # Draws
//
// One thread draws four columns: Blocks(rows*ceil(cols/4)) blocks. dst may be p
// or mean itself.
//
//	uniform  dst[i][j] = u(i, j)
//	    dst         float *  [rows, cols]
//	    rows, cols  int, int
//	    keys, seed, purpose, step
//
//	bernoulli  dst[i][j] = 1 if u(i, j) < p[i][j], else 0; NaN stays NaN
//	    dst         float *        [rows, cols]
//	    p           const float *  [rows, cols]
//	    rows, cols  int, int
//	    keys, seed, purpose, step
//
//	gaussian  dst[i][j] = mean[i][j] + deviation normal(i, j)
//	    dst         float *        [rows, cols]
//	    mean        const float *  [rows, cols]
//	    deviation   float
//	    rows, cols  int, int
//	    keys, seed, purpose, step
//
// # Rows
//
// A warp computes a row (corrupt: a block does), and then the next one that no other
// has: RowBlocks(rows) blocks.
//
//	corrupt  a subset of exactly picked columns of each row of x becomes 0, or low
//	         or high by a coin (engine.Corruption); dst may be x itself
//	    dst          float *        [rows, cols]
//	    x            const float *  [rows, cols]
//	    rows, cols   int, int
//	    picked       int            of cols columns, engine.Corruption.Picked
//	    salt_pepper  int            0: they become 0; 1: low or high
//	    low, high    float, float
//	    keys, seed, purpose, step
//
//	row_norms  dst[i] = alpha |x[i]| + beta dst[i]; with beta 0 dst is only written
//	    dst          float *        [rows]
//	    x            const float *  [rows, cols]
//	    rows, cols   int, int
//	    alpha, beta  float, float
//
//	row_dots  dst[i] = alpha x[i].with[i] + beta dst[i]; with beta 0 dst is only written
//	    dst          float *        [rows]
//	    x            const float *  [rows, cols]
//	    with         const float *  [rows, cols]
//	    rows, cols   int, int
//	    alpha, beta  float, float
//
//	project  x[i] = x[i] radius/|x[i]|; a row of zeros stays
//	    x           float *  [rows, cols]
//	    rows, cols  int, int
//	    radius      float
//
//	gather  dst[i] = src[from[i]]; dst is not src
//	    dst         float *        [rows, cols]
//	    src         const float *  [any, cols]
//	    from        const int *    [rows]
//	    rows, cols  int, int
//
//	scatter  dst[to[i]] = src[from[i]]; no two of to are equal; dst is not src
//	    dst         float *        [any, cols]
//	    src         const float *  [any, cols]
//	    to          const int *    [rows]
//	    from        const int *    [rows]
//	    rows, cols  int, int
//
//	copy_rows  dst[i] = src[i]; dst is not src
//	    dst         float *        [rows, cols]
//	    dst_stride  long long
//	    src         const float *  [rows, cols]
//	    src_stride  long long
//	    rows, cols  int, int
//
// # Columns
//
// One thread sums a column: Blocks(cols) blocks.
//
//	column_means  dst[j] = alpha mean over i of x[i][j] + beta dst[j]; with beta 0
//	              dst is only written; the mean of no rows is NaN
//	    dst          float *        [cols]
//	    x            const float *  [rows, cols]
//	    rows, cols   int, int       rows may be 0
//	    alpha, beta  float, float
//
// # Ascent
//
// Where a gradient begins, to the bits of its definition, and steps of an ascent, which
// the host makes at present: the last two have no caller. A warp computes a row:
// RowBlocks(rows) blocks.
//
//	ascent_top  with w = weights[goal[i]] and h = below[i], activation[i] = before
//	            activation[i] + h.w and delta[i][j] = w[j] slope[i][j]; with sigmoid
//	            w[j] h[j] (1-h[j])
//	    activation  float *        [rows]; with before 0 only written
//	    before      float
//	    delta       float *        [rows, cols]; may be below itself
//	    below       const float *  [rows, cols], the highest value that goals read
//	    slope       const float *  [rows, cols]; null: slopes are 1
//	    weights     const float *  [goals, cols]
//	    goal        const int *    [rows]
//	    rows, cols  int, int
//	    sigmoid     int            then slope is null
//
//	ascent_direction  norm[i] = |direction[i]|, then direction[i] = direction[i]
//	                  radius/|direction[i]|, a row of zeros stays, and chord[i] =
//	                  |direction[i] - x[i]|
//	    norm, chord  float *, float *  [rows]
//	    direction    float *           [rows, cols], the gradient before
//	    x            const float *     [rows, cols]
//	    rows, cols   int, int
//	    radius       float
//
//	ascent_step  next[i] = y radius/|y| with y = x[from[i]] + rate[i] direction[from[i]];
//	             a row of zeros stays; next is not x
//	    next          float *        [rows, cols]
//	    x, direction  const float *  [any, cols]
//	    from          const int *    [rows]; null: row i comes from row i
//	    rate          const float *  [rows]
//	    rows, cols    int, int
//	    radius        float
//
// # Learning
//
// An update of engine.ContrastiveDivergence and engine.Denoise, to the bits of their
// definitions. W, its velocity and its step are [hidden, visible]. The data side of a
// gradient has states [data_rows, hidden] and [data_rows, visible], the model side
// [model_rows, ...].
//
//	differences  norms[i] = |a[i] - b[i]|, difference = a - b; RowBlocks(rows) blocks
//	    norms       float *        [rows]
//	    difference  float *        [rows, cols], may be a or b itself; null: not wanted
//	    a, b        const float *  [rows, cols]
//	    rows, cols  int, int
//
//	learn_weights  step = data_rate data_hidden' data_visible + model_rate model_hidden'
//	               model_visible, step += decay W, velocity = momentum velocity + step,
//	               W += velocity; ProductBlocks(hidden, visible) blocks
//	    step                         float *          null: the sums go to momentum velocity,
//	                                                  and decay, one by one
//	    velocity, weight             float *          weight null: only step is written
//	    data_hidden, data_visible    const float *
//	    data_rows, data_rate         int, float
//	    model_hidden, model_visible  const float *
//	    model_rows, model_rate       int, float
//	    hidden, visible              int, int
//	    momentum, decay              float, float     decay 0: none
//
//	learn_limited  rows of step that are longer than limit are scaled down to it; then
//	               as learn_weights from decay on; RowBlocks(hidden) blocks
//	    step, velocity, weight  float *
//	    hidden, visible         int, int
//	    limit, momentum, decay  float, float, float
//
//	learn_biases  what sparsity and centering do to both sides, and the biases; with
//	              means over a side's rows, in this order,
//	                q = keep q + share mean data_hidden
//	                data_hidden += push - cost q
//	                data_hidden -= q, model_hidden -= q, centered = data_visible - center,
//	                model_visible -= center
//	                velocity = momentum velocity + rate mean data - rate mean model
//	                bias += velocity
//	              Blocks(hidden + visible) blocks
//	    hidden_bias, hidden_velocity    float *        [hidden]
//	    data_hidden, model_hidden       float *        model_hidden null: there is no such side
//	    q                               float *        [hidden]; null: there is none
//	    visible_bias, visible_velocity  float *        [visible]
//	    data_visible                    const float *
//	    centered                        float *        as data_visible, with center only
//	    model_visible                   float *        null with model_hidden
//	    center                          const float *  [visible]; null: not centered; otherwise
//	                                                   biases stay for learn_uncentered
//	    hidden, visible                 int, int
//	    data_rows, model_rows           int, int
//	    rate, momentum                  float, float
//	    share, keep                     float, float
//	    cost, push                      float, float   cost 0: no sparsity
//
//	learn_uncentered  hidden_velocity -= step center, visible_velocity -= step' q, and
//	                  both biases += their velocities; Blocks(hidden + visible) blocks
//	    hidden_bias, hidden_velocity    float *        [hidden]
//	    q                               const float *  [hidden]
//	    visible_bias, visible_velocity  float *        [visible]
//	    center                          const float *  [visible]
//	    step                            const float *
//	    hidden, visible                 int, int
package kernels

// What a launch needs; the constants are those of device.cuh and tile.cuh.
const (
	Threads     = 256 // threads of every block
	TileRows    = 64  // rows of dst that one block of a product computes
	TileColumns = 64  // columns of dst that one block of a product computes
)

const (
	most         = 1<<31 - 1    // blocks of a grid along x
	rowsPerBlock = Threads / 32 // one for each warp
)

// Blocks returns the blocks to launch for so many threads' work: one thread
// each, unless the grid would be larger than a card takes.
func Blocks(work int64) int64 { return min((work+Threads-1)/Threads, most) }

// RowBlocks returns the blocks to launch where a warp computes a row.
func RowBlocks(rows int64) int64 { return min((rows+rowsPerBlock-1)/rowsPerBlock, most) }

// ColumnTiles returns the tiles side by side in n columns of a product.
func ColumnTiles(n int64) int64 { return (n + TileColumns - 1) / TileColumns }

// ProductBlocks returns the blocks of a product with an m x n result. More than
// 2^31-1 do not fit in a grid.
func ProductBlocks(m, n int64) int64 { return (m + TileRows - 1) / TileRows * ColumnTiles(n) }
