// What driver.go calls: see trampolines.c.
#include <stddef.h>

// Opens a library and leads every slot to it. A function that it lacks answers
// CUDA_ERROR_NOT_SUPPORTED. Returns 0, or -1 with a reason and all slots as at
// the start of the process.
int unitscope_driver_open(const char *path, char *reason, size_t size);

// Leads every slot to the answers of a process without a driver.
void unitscope_driver_forget(void);
