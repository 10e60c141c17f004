/** The engine's public face. It knows no onboarding, no HTTP and no queue. */

// Definitions
export {
  type ActivityContext,
  type ActivityContract,
  type ActivityImplementation,
  activity,
  defineActivity,
  implementActivity,
  type RetryPolicy,
  type Verification,
} from './activity.ts';
// Running
export {
  type AttemptOptions,
  type Implementations,
  implementationMap,
  type Outcome,
  runAttempt,
} from './attempt.ts';
export { type Cancellation, createCancellation } from './cancellation.ts';
// Talking to it
export {
  type By,
  type Client,
  createClient,
  type ListFilter,
  type ListPage,
  type OperateOptions,
  type SignalOptions,
  type SignalResult,
  type StartOptions,
  type StartResult,
  type UnmatchedSignal,
} from './client.ts';
export {
  type AnyWorkflow,
  defineWorkflow,
  type HumanTask,
  type SignalContract,
  type StateMeta,
  type Workflow,
} from './definition.ts';
export {
  checkDeploy,
  type DeployFinding,
  type DeployReport,
  describeDeploy,
  recordDefinitions,
} from './deploy-check.ts';
export { type DurabilityProblem, findProblems } from './durability.ts';
export {
  type ActivityTicket,
  createEngine,
  type Engine,
  type EngineOptions,
  type Handled,
  type HandleOptions,
  type OpenInstance,
  type Place,
  ticketOf,
} from './engine.ts';
export type { Actor, Failure, MachineEvent, OperatorEvent } from './event.ts';
export type { FaultDetail, FaultPoint, FaultPoints } from './fault-points.ts';
export { type ChainVerdict, type EffectNote, type HistoryEntry, verifyChain } from './history.ts';
export { counted, groupsFor, INDEX, listed } from './indexes.ts';
export { createMemoryStore } from './memory-store.ts';
export {
  createMigrations,
  type MigrationOptions,
  type MigrationReport,
  type Migrations,
} from './migrations.ts';
export {
  type BatchOptions,
  type BatchReport,
  createOperations,
  type ForkOptions,
  MAX_BATCH,
  type Operation,
  type Operations,
} from './operations.ts';
export type { Preview, PreviewEffect } from './preview.ts';
export type { Attention, InstanceStatus } from './record.ts';
export { type BootOptions, checkStore, type StoreReport, storeLost } from './redis/boot.ts';
export { type OpenedStore, openRedisStore } from './redis/open-store.ts';
export { createRedisStore, type RedisStoreOptions } from './redis/redis-store.ts';
export { remember, type SeenStore } from './redis/seen.ts';
export { type StoreHealth, type StoreWatch, watchStore } from './redis/watch.ts';
export { activityActors, createRegistry, limitsOf, type Registry, refOf } from './registry.ts';
export { readTicket } from './relay.ts';
export { removeTree } from './retention.ts';
export { markRewound, type StoreLoss } from './rewound.ts';
export type { Need, Store, StoredInstance } from './store.ts';
export type { ActivityView, InstanceView, StateView, TaskView } from './view.ts';
export { rootOf } from './view.ts';
