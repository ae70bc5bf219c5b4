/* box/wasi.h: error numbers as a guest knows them (preview 1). What box/group.c answers is one of these, negative. */
#ifndef BX_BOX_WASI_H
#define BX_BOX_WASI_H

enum bx_wasi_errno {
    BX_WASI_E2BIG = 1,
    BX_WASI_EAGAIN = 6,
    BX_WASI_EBADF = 8,
    BX_WASI_ECHILD = 12,
    BX_WASI_EINVAL = 28,
    BX_WASI_EMFILE = 33,
    BX_WASI_ENOENT = 44,
    BX_WASI_ENOEXEC = 45,
    BX_WASI_EPIPE = 64,
    BX_WASI_ETIMEDOUT = 73,
};

#endif
