/* A disk that can be told to be ill, and a clock that can be told to jump.
 *
 * Preloaded into a server, it stands between the process and what the C library does with files
 * below one folder. It is told what to do by numbers in a file that both have mapped, and it writes
 * down how what was never made durable can be taken back. What goes to the kernel without the C
 * library (renames that refuse to replace) passes by: names are taken back by what a folder had when
 * it was made durable, whoever changed it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WELL, IO_ERRORS, FULL, SHORT, SHORT_THEN_FULL };

static struct control {
    _Atomic int64_t mode;      /* what fails */
    _Atomic int64_t countdown; /* after so many operations */
    _Atomic int64_t burst;     /* so many of them */
    _Atomic int64_t fired;     /* how many failed */
    _Atomic int64_t clock;     /* seconds that the clock of the day is ahead */
} *control;

/* An undo record; `bytes` more follow. */
struct record {
    int64_t kind; /* 'W' written, 'S' made durable, 'B' made anew, 'D' a folder made durable */
    int64_t inode;
    int64_t offset;
    int64_t length;
    int64_t size_before;
    int64_t bytes;
};

static const char *folder;
static size_t folder_length;
static int undo = -1;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TEST_DISK_CONTROL"), *log = getenv("TEST_DISK_UNDO");
    folder = getenv("TEST_DISK_FOLDER");
    if (!path || !folder) return;
    folder_length = strlen(folder);
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || mapped == MAP_FAILED) abort();
    if (log) {
        undo = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (undo < 0) abort();
    }
    control = mapped;
}

static int is_below(const char *path) {
    return control && path && !strncmp(path, folder, folder_length);
}

/* Whether it is a file of the folder, while that makes a difference. */
static int is_ours(int fd) {
    if (!control || (undo < 0 && control->mode == WELL)) return 0;
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* What is to go wrong now. */
static int64_t ill(void) {
    int64_t mode = control->mode;
    if (mode == WELL || atomic_fetch_sub(&control->countdown, 1) > 0) return WELL;
    int64_t left = atomic_fetch_sub(&control->burst, 1);
    if (left <= 0) return WELL;
    atomic_fetch_add(&control->fired, 1);
    if (mode == SHORT_THEN_FULL) return left % 2 ? FULL : SHORT;
    return mode;
}

static int fails(int64_t how) {
    if (how == IO_ERRORS) errno = EIO;
    if (how == FULL) errno = ENOSPC;
    return how == IO_ERRORS || how == FULL;
}

static void put(const void *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = syscall(SYS_write, undo, bytes, length);
        if (written <= 0) abort();
        bytes = (const char *)bytes + written;
        length -= written;
    }
}

static void note(int64_t kind, int64_t inode) {
    struct record record = {.kind = kind, .inode = inode};
    put(&record, sizeof record);
}

/* Notes what is replaced by `length` bytes from `offset` on. */
static void note_write(int fd, int64_t offset, int64_t length) {
    struct stat is;
    if (fstat(fd, &is) || !S_ISREG(is.st_mode)) return;
    if (offset < 0) {
        int flags = fcntl(fd, F_GETFL);
        offset = flags & O_APPEND ? is.st_size : lseek(fd, 0, SEEK_CUR);
    }
    int64_t there = is.st_size - offset;
    size_t bytes = there < 0 ? 0 : there > length ? length : there;
    char *before = malloc(bytes + 1);
    if (bytes > 0) {
        /* It may be open for writing only. */
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int again = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
        if (syscall(SYS_pread64, again, before, bytes, offset) != (ssize_t)bytes) abort();
        syscall(SYS_close, again);
    }
    struct record record = {'W', is.st_ino, offset, length, is.st_size, bytes};
    put(&record, sizeof record);
    put(before, bytes);
    free(before);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, int64_t offset) {
    if (offset < 0) return syscall(SYS_write, fd, bytes, length);
    return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

static ssize_t written(int fd, const void *bytes, size_t length, int64_t offset) {
    if (!is_ours(fd)) return write_at(fd, bytes, length, offset);
    int64_t how = ill();
    if (fails(how)) return -1;
    if (how == SHORT && length > 1) length /= 2;
    if (undo < 0) return write_at(fd, bytes, length, offset);
    pthread_mutex_lock(&one_at_a_time);
    note_write(fd, offset, length);
    ssize_t done = write_at(fd, bytes, length, offset);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return written(fd, bytes, length, -1); }

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    return written(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return written(fd, bytes, length, offset);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    if (!is_ours(fd)) return syscall(SYS_writev, fd, pieces, count);
    /* One piece of many is a short write too. */
    for (int n = 0; n < count; n++)
        if (pieces[n].iov_len > 0) return written(fd, pieces[n].iov_base, pieces[n].iov_len, -1);
    return 0;
}

ssize_t read(int fd, void *bytes, size_t length) {
    if (control && control->mode == IO_ERRORS && is_ours(fd) && fails(ill())) return -1;
    return syscall(SYS_read, fd, bytes, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, off_t offset) {
    if (control && control->mode == IO_ERRORS && is_ours(fd) && fails(ill())) return -1;
    return syscall(SYS_pread64, fd, bytes, length, offset);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset) {
    return pread64(fd, bytes, length, offset);
}

int ftruncate64(int fd, off_t length) {
    if (!is_ours(fd)) return syscall(SYS_ftruncate, fd, length);
    if (fails(ill())) return -1;
    if (undo < 0) return syscall(SYS_ftruncate, fd, length);
    struct stat is;
    pthread_mutex_lock(&one_at_a_time);
    if (!fstat(fd, &is) && is.st_size > length) note_write(fd, length, is.st_size - length);
    int done = syscall(SYS_ftruncate, fd, length);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static void note_folder(int fd, int64_t inode) {
    char link[32], path[4096], *listed = NULL;
    size_t length = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t end = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (end < 0) abort();
    path[end] = 0;
    FILE *list = open_memstream(&listed, &length);
    fprintf(list, "%s\n", path);
    DIR *entries = opendir(path);
    for (struct dirent *it; entries && (it = readdir(entries));) {
        /* An inode is used again: the moment in which it was made tells one from the next. */
        struct statx is;
        int known = syscall(SYS_statx, dirfd(entries), it->d_name, AT_SYMLINK_NOFOLLOW,
                            STATX_INO | STATX_BTIME, &is);
        if (known) continue;
        int64_t made = 0;
        if (is.stx_mask & STATX_BTIME)
            made = is.stx_btime.tv_sec * INT64_C(1000000000) + is.stx_btime.tv_nsec;
        fprintf(list, "%lu.%lld %s\n", (unsigned long)is.stx_ino, (long long)made, it->d_name);
    }
    if (entries) closedir(entries);
    fclose(list);
    struct record record = {.kind = 'D', .inode = inode, .bytes = length};
    put(&record, sizeof record);
    put(listed, length);
    free(listed);
}

static int synced(int fd, long call) {
    if (!is_ours(fd)) return syscall(call, fd);
    if (fails(ill())) return -1;
    if (undo < 0) return syscall(call, fd);
    /* It is what is written down that makes it durable here. */
    struct stat is;
    pthread_mutex_lock(&one_at_a_time);
    int done = fstat(fd, &is);
    if (!done && S_ISDIR(is.st_mode)) note_folder(fd, is.st_ino);
    if (!done && S_ISREG(is.st_mode)) note('S', is.st_ino);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int opened(int at, const char *path, int flags, mode_t mode) {
    int makes = flags & O_CREAT && is_below(path);
    if (makes && fails(ill())) return -1;
    int fd = syscall(SYS_openat, at, path, flags, mode);
    struct stat is;
    if (makes && undo >= 0 && fd >= 0 && !fstat(fd, &is) && is.st_size == 0) {
        pthread_mutex_lock(&one_at_a_time);
        note('B', is.st_ino);
        pthread_mutex_unlock(&one_at_a_time);
    }
    return fd;
}

#define MODE(flags, mode)                                                                          \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                           \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode = va_arg(more, mode_t);                                                               \
        va_end(more);                                                                              \
    }

int open(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(at, path, flags, mode);
}

int rename(const char *from, const char *to) {
    if (is_below(to) && fails(ill())) return -1;
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode) {
    if (is_below(path) && fails(ill())) return -1;
    return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int unlink(const char *path) {
    /* A full disk lets go of files. */
    if (is_below(path) && control->mode == IO_ERRORS && fails(ill())) return -1;
    return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, clock, now);
    if (!done && control && clock == CLOCK_REALTIME) now->tv_sec += control->clock;
    return done;
}
