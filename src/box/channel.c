#include "box/channel.h"

#include <sys/socket.h>

#include "base/file.h"

union control {
    char space[CMSG_SPACE(BX_CHANNEL_FDS * sizeof(int))];
    struct cmsghdr align;
};

static int send_frame(int fd, const struct bx_buf *frame, const int *fds, size_t fd_count,
                      int flags, struct bx_err *err) {
    if (bx_buf_failed(frame)) {
        return bx_fail(err, BX_ERR_LIMIT, "box protocol: a message is larger than %d bytes",
                       BX_FRAME_MAX);
    }
    struct iovec part = {frame->p, frame->size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control = {0};
    if (fd_count > 0) {
        assert(fd_count <= BX_CHANNEL_FDS);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof *fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fd_count * sizeof *fds);
        memcpy(CMSG_DATA(c), fds, fd_count * sizeof *fds);
    }
    ssize_t n;
    do {
        n = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return bx_fail(err, BX_ERR_BUSY, "box protocol: the socket is full");
    }
    return n < 0 ? bx_fail_errno(err, errno, "box protocol: sending failed") : 0;
}

int bx_channel_send(int fd, const struct bx_buf *frame, const int *fds, size_t fd_count,
                    struct bx_err *err) {
    return send_frame(fd, frame, fds, fd_count, 0, err);
}

int bx_channel_try_send(int fd, const struct bx_buf *frame, struct bx_err *err) {
    return send_frame(fd, frame, NULL, 0, MSG_DONTWAIT, err);
}

/* Hands out or closes the descriptors of a message. */
static void take_fds(struct msghdr *message, int *ret_fds) {
    size_t taken = 0;
    for (size_t i = 0; ret_fds && i < BX_CHANNEL_FDS; i++) {
        ret_fds[i] = -1;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (ret_fds && taken < BX_CHANNEL_FDS) {
                ret_fds[taken++] = fd;
            } else {
                bx_fd_close(&fd);
            }
        }
    }
}

static int recv_frame(int fd, struct bx_buf *buf, struct bx_frame *ret, int *fds, int flags,
                      struct bx_err *err) {
    assert(buf->max == BX_FRAME_MAX);
    bx_buf_reset(buf);
    struct iovec part = {bx_buf_space(buf, BX_FRAME_MAX), BX_FRAME_MAX};
    union control control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t n;
    do {
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return bx_fail(err, BX_ERR_BUSY, "box protocol: nothing to read");
    }
    if (n < 0) {
        return bx_fail_errno(err, errno, "box protocol: receiving failed");
    }
    take_fds(&message, fds);
    if (n == 0) {
        return bx_fail(err, BX_ERR_IO, "box protocol: the other side is gone");
    }
    bx_buf_grew(buf, (size_t)n);
    int r = message.msg_flags & MSG_TRUNC
                ? bx_fail(err, BX_ERR_PROTO, "box protocol: a message is too large")
                : bx_frame_decode(buf->p, buf->size, ret, err);
    for (size_t i = 0; fds && r < 0 && i < BX_CHANNEL_FDS; i++) {
        bx_fd_close(&fds[i]);
    }
    return r;
}

int bx_channel_recv(int fd, struct bx_buf *buf, struct bx_frame *ret, int *fds,
                    struct bx_err *err) {
    return recv_frame(fd, buf, ret, fds, 0, err);
}

int bx_channel_try_recv(int fd, struct bx_buf *buf, struct bx_frame *ret, struct bx_err *err) {
    return recv_frame(fd, buf, ret, NULL, MSG_DONTWAIT, err);
}
