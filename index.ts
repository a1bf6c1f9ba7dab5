/** Pipe as a library: write node types, check and run pipelines, listen to events. */
export { type BuiltDocument, type Connection, type NodeHandle, type PipelineBuilder, pipeline } from './graph/build.ts';
export type { CheckedGraph, CheckedNode, RunSettings } from './graph/checked.ts';
export { formatProblem, type Problem } from './graph/problem.ts';
export type { RunResult } from './runtime/engine/session.ts';
export type { GraphEvent, HookEvent, HookHandlers, Progress, RunView } from './runtime/events.ts';
export * from './runtime/node.ts';
export { checkPipeline, openPipeline, type PipelineDocument } from './runtime/pipeline/open.ts';
export { type PipelineRun, type StartOptions, startPipeline } from './runtime/pipeline/start.ts';
export { WrongRequest } from './runtime/pipeline/wrong-request.ts';
