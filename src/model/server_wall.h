/* model/server_wall.h: the walls of the model server, put up by itself before it reads a byte of the model.
 *
 * For the child process only; there is no way back. Files: the model, read-only, and the folder of its socket. System calls:
 * no sockets but Unix ones that listen, no connect, no new programs or processes, none of the calls that reach into other
 * processes or the kernel. Root's powers are dropped. Where the kernel has no Landlock the files stay open; `ret_files` says so. */
#ifndef BX_MODEL_SERVER_WALL_H
#define BX_MODEL_SERVER_WALL_H

#include "base/base.h"

int bx_server_wall(const char *model_path, const char *socket_dir, bool *ret_files, struct bx_err *err);

#endif
