// Launches kernels through a driver library, for tests that have no cgo.
//
//	client LIBRARY IMAGE.ptx <requests >answers
//
// All numbers are little-endian. A request:
//
//	u32 length, entry name      u32 blocks, u32 threads, u32 parameters
//	for each parameter: u8 kind, u64 size, and
//	    's'  a scalar: its bytes
//	    'b'  device memory with these bytes; its address is passed
//	    'u'  device memory of this size in which nothing has been written
//	    'n'  a null pointer (size 0)
//
// The answer: u32 result, u32 length of a message, the message, and if the result
// is 0 the bytes of every 'b' and 'u' after the launch, in their order. After any
// other result the client ends, as the context is of no more use.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long Pointer;

static void *library;

static void die(const char *what) {
  fprintf(stderr, "client: %s\n", what);
  exit(1);
}

static void *symbol(const char *name) {
  void *s = dlsym(library, name);
  if (!s) die(name);
  return s;
}

static void get(void *to, size_t size) {
  if (size && fread(to, 1, size, stdin) != size) exit(0);
}

static void put(const void *from, size_t size) { fwrite(from, 1, size, stdout); }

enum { MOST = 32 };

int main(int argc, char **argv) {
  if (argc != 3) die("usage: client LIBRARY IMAGE.ptx");
  library = dlopen(argv[1], RTLD_NOW);
  if (!library) die(dlerror());
  int (*init)(unsigned) = symbol("cuInit");
  int (*retain)(void **, int) = symbol("cuDevicePrimaryCtxRetain");
  int (*set_current)(void *) = symbol("cuCtxSetCurrent");
  int (*load)(void **, const void *) = symbol("cuModuleLoadData");
  int (*get_function)(void **, void *, const char *) = symbol("cuModuleGetFunction");
  int (*allocate)(Pointer *, size_t) = symbol("cuMemAlloc_v2");
  int (*release)(Pointer) = symbol("cuMemFree_v2");
  int (*to_device)(Pointer, const void *, size_t) = symbol("cuMemcpyHtoD_v2");
  int (*to_host)(void *, Pointer, size_t) = symbol("cuMemcpyDtoH_v2");
  int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **) =
      symbol("cuLaunchKernel");
  int (*synchronize)(void) = symbol("cuCtxSynchronize");
  int (*error_string)(int, const char **) = symbol("cuGetErrorString");

  FILE *file = fopen(argv[2], "rb");
  if (!file) die(argv[2]);
  fseek(file, 0, SEEK_END);
  long length = ftell(file);
  rewind(file);
  char *image = calloc(1, (size_t)length + 1);
  if (fread(image, 1, (size_t)length, file) != (size_t)length) die("image: can't be read");
  fclose(file);

  void *context = NULL, *module = NULL;
  const char *text = NULL;
  int result = init(0);
  if (!result) result = retain(&context, 0);
  if (!result) result = set_current(context);
  if (!result) result = load(&module, image);
  if (result) {
    error_string(result, &text);
    die(text);
  }

  for (;;) {
    char name[256] = "";
    uint32_t n, grid[3];
    get(&n, sizeof n);
    if (n >= sizeof name) die("name too long");
    get(name, n);
    get(grid, sizeof grid);
    if (grid[2] > MOST) die("too many parameters");
    uint64_t scalars[MOST] = {0}, sizes[MOST];
    unsigned char kinds[MOST];
    void *parameters[MOST];
    for (uint32_t i = 0; i < grid[2]; i++) {
      get(&kinds[i], 1);
      get(&sizes[i], sizeof sizes[i]);
      parameters[i] = &scalars[i];
      if (kinds[i] == 's') {
        get(&scalars[i], sizes[i]);
      } else if (kinds[i] == 'b' || kinds[i] == 'u') {
        Pointer p = 0;
        if (!result) result = allocate(&p, sizes[i]);
        scalars[i] = p;
        if (kinds[i] == 'b') {
          void *bytes = malloc(sizes[i]);
          get(bytes, sizes[i]);
          if (!result) result = to_device(p, bytes, sizes[i]);
          free(bytes);
        }
      }
    }
    void *function = NULL;
    if (!result) result = get_function(&function, module, name);
    if (!result) result = launch(function, grid[0], 1, 1, grid[1], 1, 1, 0, NULL, parameters, NULL);
    if (!result) result = synchronize();
    void *outputs[MOST] = {0};
    for (uint32_t i = 0; i < grid[2] && !result; i++) {
      if (kinds[i] != 'b' && kinds[i] != 'u') continue;
      outputs[i] = malloc(sizes[i]);
      result = to_host(outputs[i], scalars[i], sizes[i]);
      if (!result) result = release(scalars[i]);
    }
    const char *message = "";
    if (result && error_string(result, &message)) message = "unknown error";
    uint32_t header[2] = {(uint32_t)result, (uint32_t)strlen(message)};
    put(header, sizeof header);
    put(message, header[1]);
    for (uint32_t i = 0; i < grid[2] && !result; i++) {
      if (outputs[i]) put(outputs[i], sizes[i]);
      free(outputs[i]);
    }
    fflush(stdout);
    if (result) return 0;
  }
}
