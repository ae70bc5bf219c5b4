/* loop/uv.h: the way to the libuv loop, for the rooms that move bytes on it (http) and for nobody else. */
#ifndef BX_LOOP_UV_H
#define BX_LOOP_UV_H

struct bx_loop;
struct uv_loop_s;
struct uv_loop_s *bx_loop_uv(struct bx_loop *l);

#endif
