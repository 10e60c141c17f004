/** Preloaded into each child of `npm start`: when the parent is killed, the child stops by itself instead of staying. */
const DEADLINE_MS = 15_000;

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), DEADLINE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
// Listening must not keep the child alive when it has finished.
process.channel?.unref();
