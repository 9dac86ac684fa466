/* Runs a command and makes one of its storage operations fail.
 *
 *     tracer FOLDER N KIND REPORT COMMAND [ARGUMENT...]
 *
 * Storage operations are system calls that change files, or make changes durable, at or below FOLDER (an absolute path
 * without links). They are counted from 1 over all threads; at number N happens what KIND says:
 *
 *     none      nothing; REPORT gets their number
 *     enospc    it fails with "no space left", once
 *     eio       it fails with an input/output error, once
 *     full      a write is half done; from then on whatever needs space fails with "no space left"
 *     kill      SIGKILL before it
 *     half      a write is half done, anything else is wholly done; then SIGKILL
 *     int       SIGINT, and it goes on
 *
 * REPORT gets a line per operation: number and name. Exits as the command does, with 128 + signal if one killed it.
 *
 * This traces system calls and does not wrap the C library, because Rust programs call the kernel past it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "registers of this machine are not known here"
#endif

enum { MOST_THREADS = 256 };

/* What to do when the system call that a thread is in returns. */
struct thread {
    pid_t id;
    int inside;
    int fail_with;
    int kill_after;
};

static struct thread threads[MOST_THREADS];
static const char *folder, *kind;
static long number, at;
static int disk_is_full;
static FILE *report;
static pid_t child;

static void die(const char *what) {
    perror(what);
    if (child > 0)
        kill(child, SIGKILL);
    exit(125);
}

static struct thread *thread_of(pid_t id) {
    for (int i = 0; i < MOST_THREADS; i++) {
        if (threads[i].id == id)
            return &threads[i];
    }
    for (int i = 0; i < MOST_THREADS; i++) {
        if (threads[i].id == 0) {
            threads[i] = (struct thread){.id = id};
            return &threads[i];
        }
    }
    errno = ENOMEM;
    die("tracer: too many threads");
    return NULL;
}

static int is_below(const char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int link_is_below(const char *link) {
    char path[PATH_MAX];
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return is_below(path);
}

static int descriptor_is_below(pid_t id, long descriptor) {
    char link[64];
    if ((int)descriptor == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/%d/cwd", id);
    else
        snprintf(link, sizeof link, "/proc/%d/fd/%d", id, (int)descriptor);
    return link_is_below(link);
}

static int path_is_below(pid_t id, long descriptor, unsigned long address) {
    char path[PATH_MAX];
    size_t length = 0;
    while (length < sizeof path - 1) { /* Byte by byte: the next page may not be there. */
        struct iovec to = {path + length, 1}, from = {(void *)(address + length), 1};
        if (process_vm_readv(id, &to, 1, &from, 1, 0) != 1)
            return 0;
        if (path[length++] == '\0')
            return path[0] == '/' ? is_below(path) : descriptor_is_below(id, descriptor);
    }
    return 0;
}

enum sort { NOTHING, WRITE, SPACE, OTHER }; /* WRITE can be halved, SPACE needs room on the disk. */

static int changes(long flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

static enum sort sort_of(pid_t id, const struct user_regs_struct *r, const char **name) {
#define CALL(number, condition, result)                                                                                \
    case SYS_##number:                                                                                                 \
        *name = #number;                                                                                               \
        return (condition) ? (result) : NOTHING;
    switch ((long)r->orig_rax) {
        CALL(write, descriptor_is_below(id, r->rdi), WRITE)
        CALL(pwrite64, descriptor_is_below(id, r->rdi), WRITE)
        CALL(writev, descriptor_is_below(id, r->rdi), SPACE)
        CALL(pwritev, descriptor_is_below(id, r->rdi), SPACE)
        CALL(pwritev2, descriptor_is_below(id, r->rdi), SPACE)
        CALL(copy_file_range, descriptor_is_below(id, r->rdx), SPACE)
        CALL(sendfile, descriptor_is_below(id, r->rdi), SPACE)
        CALL(fallocate, descriptor_is_below(id, r->rdi), SPACE)
        CALL(open, changes(r->rsi) && path_is_below(id, AT_FDCWD, r->rdi), r->rsi &O_CREAT ? SPACE : OTHER)
        CALL(openat, changes(r->rdx) && path_is_below(id, r->rdi, r->rsi), r->rdx &O_CREAT ? SPACE : OTHER)
        CALL(creat, path_is_below(id, AT_FDCWD, r->rdi), SPACE)
        CALL(ftruncate, descriptor_is_below(id, r->rdi), OTHER)
        CALL(truncate, path_is_below(id, AT_FDCWD, r->rdi), OTHER)
        CALL(fsync, descriptor_is_below(id, r->rdi), OTHER)
        CALL(fdatasync, descriptor_is_below(id, r->rdi), OTHER)
        CALL(rename, path_is_below(id, AT_FDCWD, r->rsi), OTHER)
        CALL(renameat, path_is_below(id, r->rdx, r->r10), OTHER)
        CALL(renameat2, path_is_below(id, r->rdx, r->r10), OTHER)
        CALL(link, path_is_below(id, AT_FDCWD, r->rsi), OTHER)
        CALL(linkat, path_is_below(id, r->rdx, r->r10), OTHER)
        CALL(unlink, path_is_below(id, AT_FDCWD, r->rdi), OTHER)
        CALL(unlinkat, path_is_below(id, r->rdi, r->rsi), OTHER)
    default:
        return NOTHING;
    }
#undef CALL
}

static void set_registers(pid_t id, struct user_regs_struct *r) {
    if (ptrace(PTRACE_SETREGS, id, 0, r) != 0)
        die("tracer: setting registers");
}

/* The call is not made; when the kernel returns from doing nothing, the thread is told this error. */
static void refuse(struct thread *thread, struct user_regs_struct *r, int error) {
    thread->fail_with = error;
    r->orig_rax = (unsigned long)-1;
    set_registers(thread->id, r);
}

static void halve(struct thread *thread, struct user_regs_struct *r) {
    r->rdx /= 2;
    set_registers(thread->id, r);
}

static void on_entry(struct thread *thread, struct user_regs_struct *r) {
    const char *name = "";
    enum sort sort = sort_of(thread->id, r, &name);
    if (sort == NOTHING)
        return;
    number++;
    fprintf(report, "%ld %s\n", number, name);
    fflush(report);
    if (disk_is_full && (sort == WRITE || sort == SPACE))
        refuse(thread, r, ENOSPC);
    if (number != at)
        return;
    if (strcmp(kind, "enospc") == 0) {
        refuse(thread, r, ENOSPC);
    } else if (strcmp(kind, "eio") == 0) {
        refuse(thread, r, EIO);
    } else if (strcmp(kind, "full") == 0) {
        disk_is_full = 1;
        if (sort == WRITE)
            halve(thread, r);
        else if (sort == SPACE)
            refuse(thread, r, ENOSPC);
    } else if (strcmp(kind, "kill") == 0) {
        kill(child, SIGKILL);
    } else if (strcmp(kind, "half") == 0) {
        thread->kill_after = 1;
        if (sort == WRITE)
            halve(thread, r);
    } else if (strcmp(kind, "int") == 0) {
        kill(child, SIGINT);
    }
}

static void on_exit_of_call(struct thread *thread, struct user_regs_struct *r) {
    if (thread->kill_after)
        kill(child, SIGKILL);
    if (thread->fail_with != 0) {
        r->rax = (unsigned long)-(long)thread->fail_with;
        set_registers(thread->id, r);
        thread->fail_with = 0;
    }
}

static void on_system_call(pid_t id) {
    struct thread *thread = thread_of(id);
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, id, 0, &r) != 0)
        return; /* It was killed meanwhile. */
    thread->inside = !thread->inside;
    if (thread->inside)
        on_entry(thread, &r);
    else
        on_exit_of_call(thread, &r);
}

int main(int count, char **arguments) {
    if (count < 6) {
        fprintf(stderr, "usage: tracer FOLDER N KIND REPORT COMMAND [ARGUMENT...]\n");
        return 125;
    }
    folder = arguments[1];
    at = atol(arguments[2]);
    kind = arguments[3];
    report = fopen(arguments[4], "w");
    if (report == NULL)
        die("tracer: opening the report");
    fcntl(fileno(report), F_SETFD, FD_CLOEXEC);
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(arguments[5], arguments + 5);
        die("tracer: running the command");
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        die("tracer: starting");
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, child, 0, options) != 0 || ptrace(PTRACE_SYSCALL, child, 0, 0) != 0)
        die("tracer: tracing");
    for (;;) {
        pid_t id = waitpid(-1, &status, __WALL);
        if (id < 0)
            die("tracer: waiting");
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            thread_of(id)->id = 0;
            if (id == child)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {
            on_system_call(id);
            signal = 0;
        } else if (signal == SIGTRAP || signal == SIGSTOP) {
            signal = 0; /* The tracer's own: a new thread, a new program. */
        }
        ptrace(PTRACE_SYSCALL, id, 0, signal);
    }
}
