/**
 * Positions of the functions used here in OrtApi, the function table of ONNX Runtime's C API. The table is only ever
 * appended to, so they hold for every runtime that offers `API_VERSION` or later. Source: onnxruntime_c_api.h of
 * ONNX Runtime (MIT), checked against the Rust binding generated from it (crate ort-sys, MIT).
 */
export const ORT_API = {
  GetErrorMessage: 2,
  CreateEnv: 3,
  CreateSession: 7,
  Run: 9,
  CreateSessionOptions: 10,
  SetSessionGraphOptimizationLevel: 23,
  SetIntraOpNumThreads: 24,
  CreateTensorWithDataAsOrtValue: 49,
  CreateCpuMemoryInfo: 69,
  ReleaseEnv: 92,
  ReleaseStatus: 93,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseSessionOptions: 100,
  AddSessionConfigEntry: 130,
  RegisterExecutionProviderLibrary: 301,
  UnregisterExecutionProviderLibrary: 302,
  GetEpDevices: 303,
  SessionOptionsAppendExecutionProvider_V2: 304,
  EpDevice_EpName: 312,
  EpDevice_EpVendor: 313,
  Session_GetEpGraphAssignmentInfo: 407,
  EpAssignedSubgraph_GetEpName: 408,
  EpAssignedSubgraph_GetNodes: 409,
  EpAssignedNode_GetName: 410,
  EpAssignedNode_GetOperatorType: 412,
} as const;

/** Oldest API that has all of them: ONNX Runtime 1.24, the first that the QNN plugin supports. */
export const API_VERSION = 24;
