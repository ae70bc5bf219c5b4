/* box/channel.h: frames over a SOCK_SEQPACKET socket, with at most two descriptors beside a frame.
 *
 * Either side. One thread sends and one receives at a time. EINTR is handled; a closed peer is BX_ERR_IO. */
#ifndef BX_BOX_CHANNEL_H
#define BX_BOX_CHANNEL_H

#include "box/protocol.h"

#define BX_CHANNEL_FDS 2

/* Sends one encoded frame. Blocks while the socket is full. BX_ERR_LIMIT when the buffer failed (a field was too large). */
int bx_channel_send(int fd, const struct bx_buf *frame, const int *fds, size_t fd_count, struct bx_err *err);
/* The same without waiting: BX_ERR_BUSY when the socket is full. */
int bx_channel_try_send(int fd, const struct bx_buf *frame, struct bx_err *err);

/* Waits for one frame; buf gets its bytes (cleared first, maximum BX_FRAME_MAX) and *ret points into it.
 * fds may be NULL: descriptors that come anyway are closed; else unused ones are -1 and the others the caller's.
 * BX_ERR_PROTO on a frame that is too large, truncated or unknown. */
int bx_channel_recv(int fd, struct bx_buf *buf, struct bx_frame *ret, int *fds, struct bx_err *err);
/* The same without waiting: BX_ERR_BUSY when nothing is there. */
int bx_channel_try_recv(int fd, struct bx_buf *buf, struct bx_frame *ret, struct bx_err *err);

#endif
