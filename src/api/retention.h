/* api/retention.h: sessions that were left alone go when the settings say so: at the start, then once a day. Loop thread;
 * the work is a worker's. */
#ifndef BX_API_RETENTION_H
#define BX_API_RETENTION_H

struct bx_api;
struct bx_retention_job;

struct bx_retention_job *bx_retention_job_start(struct bx_api *api);
void bx_retention_job_free(struct bx_retention_job *job); /* after the loop: a job that was at work still comes back */

#endif
