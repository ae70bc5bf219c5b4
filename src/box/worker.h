/* box/worker.h: the main of a box worker, the process in which guests run.
 *
 * The server starts its own binary again with BX_BOX_WORKER_ARG as first argument, an empty environment and its control
 * socket as descriptor 3; whoever owns main() must look for that argument before anything else:
 *     if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) return bx_box_worker_main();
 * The worker puts up the second wall, says HELLO with what is up, and serves until its control socket is closed. */
#ifndef BX_BOX_WORKER_H
#define BX_BOX_WORKER_H

#define BX_BOX_WORKER_ARG "--box-worker"
#define BX_BOX_WORKER_FD  3

/* At a time; the rest of the engine's room is for what they start. */
#define BX_WORKER_CALLS_MAX 128

int bx_box_worker_main(void);

#endif
