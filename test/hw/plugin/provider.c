/*
 * An execution provider that behaves well or badly, as the environment variable DLLM_TEST_PLUGIN says. It knows just
 * enough of ONNX Runtime's plugin interface (onnxruntime_ep_c_api.h, MIT): structures are declared up to the last member
 * that API version 24 has, and functions are called by their position in OrtApi.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API_VERSION 24

typedef struct OrtStatus OrtStatus;
typedef const void *const *Table;
typedef struct {
  Table (*GetApi)(uint32_t);
  const char *(*GetVersionString)(void);
} OrtApiBase;

/* Positions in OrtApi and OrtEpApi. */
enum {
  CREATE_STATUS = 0, GET_DATA = 51, CAST_TYPE = 55, DIM_COUNT = 61, DIMS = 62, CONTEXT_OUTPUT = 91, VALUE_TYPE = 290,
  DEVICE_TYPE = 307, GET_EP_API = 317, TENSOR_BYTES = 318, NUM_OUTPUTS = 340, OUTPUTS = 341, NUM_NODES = 344, NODES = 345
};
enum { CREATE_EP_DEVICE = 0, ADD_NODES_TO_FUSE = 2 };

static Table ort, ep_api;
#define CALL(table, at, ...) (((OrtStatus * (*)())(table)[at])(__VA_ARGS__))
#define TRY(call) do { OrtStatus *status_ = (call); if (status_) return status_; } while (0)

static bool told(const char *what, const char *stage) {
  const char *mode = getenv("DLLM_TEST_PLUGIN");
  size_t length = strlen(what);
  return mode != NULL && strncmp(mode, what, length) == 0 && strcmp(mode + length, stage) == 0;
}

static OrtStatus *misbehave(const char *stage) {
  if (told("abort-", stage)) abort();
  while (told("hang-", stage)) sleep(1);
  return told("refuse-", stage) ? CALL(ort, CREATE_STATUS, 1, "the test plugin refuses") : NULL;
}

/* ---- the compiled graph: writes zeros ---- */
enum { MAX_OUTPUTS = 64, MAX_DIMS = 8 };
typedef struct {
  uint32_t version;
  OrtStatus *(*CreateState)(void *, void *, void **);
  OrtStatus *(*Compute)(void *, void *, void *);
  void (*ReleaseState)(void *, void *);
  size_t outputs, ranks[MAX_OUTPUTS];
  int64_t dims[MAX_OUTPUTS][MAX_DIMS];
} ComputeInfo;

static OrtStatus *create_state(void *self, void *context, void **state) {
  (void)context;
  *state = self;
  return NULL;
}
static void release_state(void *self, void *state) { (void)self; (void)state; }

static OrtStatus *compute(void *self, void *state, void *context) {
  (void)state;
  ComputeInfo *info = self;
  TRY(misbehave("run"));
  for (size_t i = 0; i < info->outputs; i++) {
    void *value, *data;
    size_t bytes;
    TRY(CALL(ort, CONTEXT_OUTPUT, context, i, info->dims[i], info->ranks[i], &value));
    TRY(CALL(ort, GET_DATA, value, &data));
    TRY(CALL(ort, TENSOR_BYTES, value, &bytes));
    memset(data, 0, bytes);
  }
  return NULL;
}

/* ---- provider ---- */
typedef struct {
  uint32_t version;
  const char *(*GetName)(const void *);
  OrtStatus *(*GetCapability)(void *, const void *, void *);
  OrtStatus *(*Compile)(void *, const void **, const void **, size_t, ComputeInfo **, void **);
  void (*ReleaseComputeInfos)(void *, ComputeInfo **, size_t);
  void *optional[16];
} Provider;

static const char *provider_name(const void *self) { (void)self; return "TestProvider"; }

static OrtStatus *get_capability(void *self, const void *graph, void *support) {
  (void)self;
  if (told("nothing", "")) return NULL;
  size_t count;
  TRY(CALL(ort, NUM_NODES, graph, &count));
  const void **nodes = calloc(count, sizeof *nodes);
  TRY(CALL(ort, NODES, graph, nodes, count));
  struct { uint32_t version; bool drop_initializers; } options = {API_VERSION, true};
  OrtStatus *status = CALL(ep_api, ADD_NODES_TO_FUSE, support, nodes, count, &options);
  free(nodes);
  return status;
}

static OrtStatus *compile(void *self, const void **graphs, const void **fused, size_t count, ComputeInfo **infos,
                          void **context_nodes) {
  (void)self; (void)fused; (void)context_nodes;
  TRY(misbehave("compile"));
  for (size_t g = 0; g < count; g++) {
    ComputeInfo *info = calloc(1, sizeof *info);
    info->version = API_VERSION;
    info->CreateState = create_state;
    info->Compute = compute;
    info->ReleaseState = release_state;
    const void *values[MAX_OUTPUTS];
    TRY(CALL(ort, NUM_OUTPUTS, graphs[g], &info->outputs));
    if (info->outputs > MAX_OUTPUTS) return CALL(ort, CREATE_STATUS, 1, "too many outputs for the test plugin");
    TRY(CALL(ort, OUTPUTS, graphs[g], values, info->outputs));
    for (size_t i = 0; i < info->outputs; i++) {
      const void *type, *tensor;
      TRY(CALL(ort, VALUE_TYPE, values[i], &type));
      TRY(CALL(ort, CAST_TYPE, type, &tensor));
      TRY(CALL(ort, DIM_COUNT, tensor, &info->ranks[i]));
      TRY(CALL(ort, DIMS, tensor, info->dims[i], info->ranks[i]));
    }
    infos[g] = info;
  }
  return NULL;
}

static void release_infos(void *self, ComputeInfo **infos, size_t count) {
  (void)self;
  for (size_t i = 0; i < count; i++) free(infos[i]);
}

/* ---- factory ---- */
typedef struct {
  uint32_t version;
  const char *(*GetName)(const void *);
  const char *(*GetVendor)(const void *);
  OrtStatus *(*GetSupportedDevices)(void *, const void *const *, size_t, void **, size_t, size_t *);
  OrtStatus *(*CreateEp)(void *, const void *const *, const void *const *, size_t, const void *, const void *,
                         Provider **);
  void (*ReleaseEp)(void *, Provider *);
  uint32_t (*GetVendorId)(const void *);
  const char *(*GetVersion)(const void *);
  void *validate;
  OrtStatus *(*CreateAllocator)(void *, const void *, const void *, void **);
  void (*ReleaseAllocator)(void *, void *);
  OrtStatus *(*CreateDataTransfer)(void *, void **);
  bool (*IsStreamAware)(const void *);
  void *optional[16];
} Factory;

static const char *vendor(const void *self) { (void)self; return "test"; }
static uint32_t vendor_id(const void *self) { (void)self; return 0; }
static const char *version(const void *self) { (void)self; return "1.0.0"; }
static bool stream_aware(const void *self) { (void)self; return false; }
static OrtStatus *create_allocator(void *self, const void *memory, const void *options, void **out) {
  (void)self; (void)memory; (void)options;
  *out = NULL;
  return NULL;
}
static void release_allocator(void *self, void *allocator) { (void)self; (void)allocator; }
static OrtStatus *create_transfer(void *self, void **out) { (void)self; *out = NULL; return NULL; }

static OrtStatus *supported_devices(void *self, const void *const *devices, size_t count, void **out, size_t most,
                                    size_t *found) {
  *found = 0;
  if (told("no-device", "")) return NULL;
  for (size_t i = 0; i < count && *found < most && *found < 1; i++) {
    int type = ((int (*)(const void *))ort[DEVICE_TYPE])(devices[i]);
    if (type != 0) continue; /* the CPU */
    TRY(CALL(ep_api, CREATE_EP_DEVICE, self, devices[i], NULL, NULL, &out[*found]));
    *found += 1;
  }
  return NULL;
}

static OrtStatus *create_ep(void *self, const void *const *devices, const void *const *metadata, size_t count,
                            const void *options, const void *logger, Provider **out) {
  (void)self; (void)devices; (void)metadata; (void)count; (void)options; (void)logger;
  Provider *provider = calloc(1, sizeof *provider);
  provider->version = API_VERSION;
  provider->GetName = provider_name;
  provider->GetCapability = get_capability;
  provider->Compile = compile;
  provider->ReleaseComputeInfos = release_infos;
  *out = provider;
  return NULL;
}
static void release_ep(void *self, Provider *provider) { (void)self; free(provider); }

OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base, const void *logger, Factory **factories,
                             size_t most, size_t *count) {
  (void)name; (void)logger; (void)most;
  ort = base->GetApi(API_VERSION);
  /* A plugin that was built against a newer runtime finds no table of its own version. */
  if (told("wrong-version", "") && base->GetApi(10000) == NULL)
    return CALL(ort, CREATE_STATUS, 1, "the test plugin needs API version 10000");
  ep_api = ((Table(*)(void))ort[GET_EP_API])();
  TRY(misbehave("load"));
  Factory *factory = calloc(1, sizeof *factory);
  factory->version = API_VERSION;
  factory->GetName = provider_name;
  factory->GetVendor = vendor;
  factory->GetSupportedDevices = supported_devices;
  factory->CreateEp = create_ep;
  factory->ReleaseEp = release_ep;
  factory->GetVendorId = vendor_id;
  factory->GetVersion = version;
  factory->CreateAllocator = create_allocator;
  factory->ReleaseAllocator = release_allocator;
  factory->CreateDataTransfer = create_transfer;
  factory->IsStreamAware = stream_aware;
  factories[0] = factory;
  *count = 1;
  return NULL;
}

OrtStatus *ReleaseEpFactory(Factory *factory) {
  free(factory);
  return NULL;
}
