/* Ends its process by SIGKILL before the so-maniest call that changes something or talks to somebody,
 * counted from the first one that names a quarantine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic long left;
static _Atomic int counts;

__attribute__((constructor)) static void begin(void) {
    const char *said = getenv("TEST_KILL_BEFORE");
    left = said ? atol(said) : 0;
}

static void step(const char *path) {
    if (left <= 0) return;
    if (path && strstr(path, "/quarantine")) counts = 1;
    if (counts && --left == 0) kill(getpid(), SIGKILL);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int mkdir(const char *path, mode_t mode) { step(path); return NEXT(mkdir)(path, mode); }
int unlink(const char *path) { step(path); return NEXT(unlink)(path); }
int rename(const char *from, const char *to) { step(to); return NEXT(rename)(from, to); }
int fsync(int fd) { step(NULL); return NEXT(fsync)(fd); }
int linkat(int at, const char *from, int to_at, const char *to, int flags) {
    step(to);
    return NEXT(linkat)(at, from, to_at, to, flags);
}
ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    step(NULL);
    return NEXT(send)(fd, bytes, count, flags);
}
ssize_t writev(int fd, const struct iovec *pieces, int count) {
    step(NULL);
    return NEXT(writev)(fd, pieces, count);
}
