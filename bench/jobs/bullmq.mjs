// BullMQ: `worker` does the jobs, 64 at the same time; `ask KIND NUMBER` asks for some, one by one, and prints how
// many milliseconds that took; `fill KIND NUMBER` asks for many at once.
import { Queue, Worker } from "bullmq";
import pg from "pg";

const url = new URL(process.env.REDIS_URL);
const connection = {
  host: url.hostname,
  port: Number(url.port),
  username: url.username || undefined,
  password: decodeURIComponent(url.password) || undefined,
  db: Number(url.pathname.slice(1) || 0),
  maxRetriesPerRequest: null,
};
const [what, kind, number] = process.argv.slice(2);
const options = { removeOnComplete: true };

if (what === "worker") {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
  const row = { name: "row", text: "UPDATE bench_counter SET value = value + 1 WHERE id = $1" };
  const todo = { nothing: async () => {}, row: async (job) => { await pool.query({ ...row, values: [job.data.id] }); } };
  new Worker("bench", (job) => todo[job.name](job), { connection, concurrency: 64 });
} else {
  const queue = new Queue("bench", { connection });
  const jobs = Array.from({ length: Number(number) }, (_, id) => ({ name: kind, data: { id: id % 1000 }, opts: options }));
  await queue.waitUntilReady();
  const began = performance.now();
  if (what === "ask") for (const job of jobs) await queue.add(job.name, job.data, job.opts);
  else for (let at = 0; at < jobs.length; at += 1000) await queue.addBulk(jobs.slice(at, at + 1000));
  console.log(performance.now() - began);
  await queue.close();
}
