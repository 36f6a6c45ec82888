// Made by `npm run generate -w @kre/admin-ui` from src/operations and the schema: change those.

/** An operation that the engine knows, with what it takes and gives. */
export type TypedDocument<Result, Variables> = {
  readonly name: string
  /** SHA-256 of its text, in hexadecimal. */
  readonly digest: string
  /** Never there: carries the types. */
  readonly types?: (variables: Variables) => Result
}

export type LogLevel = 'ERROR' | 'WARN' | 'INFO' | 'DEBUG'

export type KeptReason = 'failed' | 'slow' | 'sample'

export type VersionStatus = 'CREATING' | 'CREATED' | 'STARTING' | 'STARTED' | 'PUBLISHED' | 'STOPPING' | 'STOPPED' | 'ERROR'

export type NodeStatus = 'STARTING' | 'STARTED' | 'STOPPED' | 'ERROR'

export type KrtVersion = 'v1' | 'v2'

export type KrtIssueLevel = 'error' | 'warning' | 'info'

export type EdgeDurability = 'fast' | 'memory' | 'durable'

export type AccessLevel = 'VIEWER' | 'MANAGER' | 'ADMIN'

export type UpdateGrantsInput = { userIds: readonly (string)[]; grants: readonly (GrantInput)[]; ifGrants?: readonly (GrantInput)[] | null | undefined; comment: string }

export type LoginMethod = 'LINK' | 'OIDC' | 'API_TOKEN'

export type ApiTokenScope = 'READ' | 'FULL'

export type GenerateApiTokenInput = { name: string; scope?: ApiTokenScope | undefined; runtimeIds?: readonly (string)[] | null | undefined; expiresInDays?: number | undefined }

export type DeleteApiTokenInput = { id: string }

export type EndLoginInput = { id: string }

export type CreateUserInput = { email: string; accessLevel?: AccessLevel | null | undefined; grants?: readonly (GrantInput)[] | null | undefined }

export type UpdateAccessLevelInput = { userIds: readonly (string)[]; accessLevel?: AccessLevel | null | undefined; ifAccessLevel?: AccessLevel | null | undefined; comment: string }

export type UsersInput = { userIds: readonly (string)[]; comment: string }

export type SettingsInput = { authAllowedDomains?: readonly (string)[] | null | undefined; sessionLifetimeInDays?: number | null | undefined; ifAuthAllowedDomains?: readonly (string)[] | null | undefined; ifSessionLifetimeInDays?: number | null | undefined }

export type UserActivityType = 'LOGIN' | 'LOGOUT' | 'CREATE_RUNTIME' | 'CREATE_VERSION' | 'PUBLISH_VERSION' | 'UNPUBLISH_VERSION' | 'START_VERSION' | 'STOP_VERSION' | 'UPDATE_SETTING' | 'UPDATE_VERSION_CONFIGURATION' | 'CREATE_USER' | 'REMOVE_USERS' | 'UPDATE_ACCESS_LEVELS' | 'REVOKE_SESSIONS' | 'GENERATE_API_TOKEN' | 'DELETE_API_TOKEN' | 'UPDATE_RUNTIME' | 'DELETE_RUNTIME' | 'DELETE_VERSION' | 'UPDATE_GRANTS' | 'CREATE_SIGN_IN_LINK' | 'ROTATE_MASTER_KEY' | 'OTHER'

export type AuditOutcome = 'SUCCEEDED' | 'REFUSED' | 'FAILED' | 'UNKNOWN'

export type AuditPrincipal = 'ANONYMOUS' | 'OWNER' | 'LOGIN' | 'API_TOKEN'

export type DifferenceArea = 'VERSION' | 'WORKFLOW' | 'NODE' | 'CONFIGURATION' | 'RPC' | 'MESSAGE' | 'FILE'

export type DifferenceChange = 'ADDED' | 'REMOVED' | 'CHANGED'

export type ConfigurationVariableType = 'VARIABLE' | 'FILE'

export type UpdateConfigurationInput = { versionName: string; runtimeId: string; configurationVariables: readonly (ConfigurationVariablesInput)[]; ifGeneration?: number | null | undefined }

export type LogFilters = { startDate: string; endDate?: string | null | undefined; search?: string | null | undefined; levels?: readonly (LogLevel)[] | null | undefined; nodeIds?: readonly (string)[] | null | undefined; versionsIds?: readonly (string)[] | null | undefined; workflowsNames?: readonly (string)[] | null | undefined; requestId?: string | null | undefined }

export type RequestFilters = { startDate?: string | null | undefined; endDate?: string | null | undefined; workflow?: string | null | undefined; statuses?: readonly (string)[] | null | undefined; kept?: readonly (KeptReason)[] | null | undefined; elapsedMsMin?: number | null | undefined; limit?: number | null | undefined }

export type CreateRuntimeInput = { id: string; name: string; description: string }

export type DeleteRuntimeInput = { id: string; comment: string }

export type FieldKind = 'SCALAR' | 'ENUM' | 'MESSAGE'

export type FieldLabel = 'SINGLE' | 'OPTIONAL' | 'REPEATED' | 'MAP'

export type SampleMessagesInput = { runtimeId: string; versionName: string; minutes: number }

export type StartVersionInput = { versionName: string; comment: string; runtimeId: string }

export type RestartVersionInput = { versionName: string; comment: string; runtimeId: string }

export type StopVersionInput = { versionName: string; comment: string; runtimeId: string }

export type PublishVersionInput = { versionName: string; comment: string; runtimeId: string; ifPublished?: string | null | undefined }

export type UnpublishVersionInput = { versionName: string; comment: string; runtimeId: string }

export type DeleteVersionInput = { versionName: string; comment: string; runtimeId: string }

export type GrantInput = { runtimeId: string; accessLevel: AccessLevel }

export type ConfigurationVariablesInput = { key: string; value: string }

export type LogLine = { id: string; date: string; nodeId: string; nodeName: string; workflowName: string; message: string; level: LogLevel; requestId: string | null }

export type RequestRow = { id: string; workflowId: string; kept: KeptReason; startDate: string; elapsedMs: number; handlerMs: number; overheadMs: number; status: string; message: string; attempts: number; requestBytes: number }

export type RuntimeFacts = { id: string; name: string; description: string; creationDate: string; creationAuthor: { email: string }; entrypointAddress: string; publishedVersion: { name: string; status: VersionStatus; statusReason: string } | null }

export type RuntimeDetails = RuntimeFacts & { previousVersion: { name: string; status: VersionStatus } | null }

export type TimeFacts = { p50: number; p99: number }

export type ShownMessage = { type: string; bytes: number; isCut: boolean; isHidden: boolean; json: string | null; problem: string; base64: string | null }

export type VersionHead = { id: string; name: string; runtimeId: string; description: string; status: VersionStatus; statusReason: string; errors: readonly (string)[]; creationDate: string; creationAuthor: { email: string }; publicationDate: string | null; publicationAuthor: { email: string } | null; entrypointAddress: string; config: { completed: boolean } }

export type VersionRow = VersionHead & { workflows: readonly ({ nodes: readonly ({ id: string; name: string; status: NodeStatus; statusReason: string; replicas: number; replicasReady: number })[] })[] }

export type VersionFacts = VersionHead & { krtVersion: KrtVersion; hasDoc: boolean; digest: string; issues: readonly ({ code: string; level: KrtIssueLevel; message: string; file: string; line: number; column: number; path: string; hint: string | null })[]; workflows: readonly ({ id: string; name: string; entrypoint: string; exitpoint: string; nodes: readonly ({ id: string; name: string; status: NodeStatus; statusReason: string; inputs: readonly ({ fromNodeId: string; channel: string | null; durability: EdgeDurability; isFused: boolean })[]; replicas: number; replicasReady: number; restarts: number })[] })[] }

export type RuntimeAccessResult = { runtime: { name: string }; users: readonly ({ email: string; creationDate: string | null; globalAccessLevel: AccessLevel | null; grants: readonly ({ runtimeId: string; accessLevel: AccessLevel })[] | null })[] }
export type RuntimeAccessVariables = { runtimeId: string }
export const RuntimeAccess: TypedDocument<RuntimeAccessResult, RuntimeAccessVariables> = {
  name: 'RuntimeAccess',
  digest: '7caf5f0b9ab690af92e9ea51acf43edf3273424ca9e6dcc85e4406cb96bbbee4',
}

export type UpdateGrantsResult = { updateGrants: readonly ({ id: string })[] | null }
export type UpdateGrantsVariables = { input: UpdateGrantsInput }
export const UpdateGrants: TypedDocument<UpdateGrantsResult, UpdateGrantsVariables> = {
  name: 'UpdateGrants',
  digest: 'c193dc87641fd7baa2338575d8e16af7f98d4cc285fc5cf082d97038a8ba709d',
}

export type AccountsResult = { users: readonly ({ email: string; globalAccessLevel: AccessLevel | null; logins: readonly ({ id: string; method: LoginMethod; userAgent: string; creationDate: string; lastActivity: string; expirationDate: string; isCurrent: boolean })[] | null; apiTokens: readonly ({ id: string; name: string; creationDate: string; lastActivity: string | null; expirationDate: string; scope: ApiTokenScope; runtimeIds: readonly (string)[] | null })[] | null })[] }
export type AccountsVariables = {  }
export const Accounts: TypedDocument<AccountsResult, AccountsVariables> = {
  name: 'Accounts',
  digest: '78f246e8ba24d8884bb17692eafe01e18d7d63cc19555aa0893a957d81ff25e5',
}

export type MeResult = { me: { email: string; accessLevel: AccessLevel; globalAccessLevel: AccessLevel | null; grants: readonly ({ runtimeId: string; accessLevel: AccessLevel })[] | null } | null }
export type MeVariables = {  }
export const Me: TypedDocument<MeResult, MeVariables> = {
  name: 'Me',
  digest: 'dbb05ff28876126361be0de12ef18a1e3ba9a99f7356b0b9109cf3c9f3b91509',
}

export type ProfileResult = { me: { email: string; logins: readonly ({ id: string; method: LoginMethod; userAgent: string; creationDate: string; lastActivity: string; expirationDate: string; isCurrent: boolean })[] | null; apiTokens: readonly ({ id: string; name: string; creationDate: string; lastActivity: string | null; expirationDate: string; scope: ApiTokenScope; runtimeIds: readonly (string)[] | null })[] | null } | null }
export type ProfileVariables = {  }
export const Profile: TypedDocument<ProfileResult, ProfileVariables> = {
  name: 'Profile',
  digest: '9917f7ba28d941b9d72a9698bb2faf348ca9e576883bdb09fad6313e323c2b13',
}

export type GenerateApiTokenResult = { generateApiToken: string }
export type GenerateApiTokenVariables = { input: GenerateApiTokenInput }
export const GenerateApiToken: TypedDocument<GenerateApiTokenResult, GenerateApiTokenVariables> = {
  name: 'GenerateApiToken',
  digest: 'e1142bdd5fefdbde1fd5fe4552554d2a0519f7438a96f4435936772f9ac55c09',
}

export type DeleteApiTokenResult = { deleteApiToken: { id: string } | null }
export type DeleteApiTokenVariables = { input: DeleteApiTokenInput }
export const DeleteApiToken: TypedDocument<DeleteApiTokenResult, DeleteApiTokenVariables> = {
  name: 'DeleteApiToken',
  digest: 'b51ac6f7e8b757fd53441b36194fca4a0327fb98ff94f9ec1533b734c3dad44f',
}

export type EndLoginResult = { endLogin: { id: string } | null }
export type EndLoginVariables = { input: EndLoginInput }
export const EndLogin: TypedDocument<EndLoginResult, EndLoginVariables> = {
  name: 'EndLogin',
  digest: 'd501d6fbb6503021d3c5c54fdc2d2a16b53b2358a5801ec48276c49431ae467e',
}

export type UsersResult = { users: readonly ({ email: string; accessLevel: AccessLevel; globalAccessLevel: AccessLevel | null; grants: readonly ({ runtimeId: string; accessLevel: AccessLevel })[] | null; creationDate: string | null; lastActivity: string | null; activeSessions: number | null })[] }
export type UsersVariables = {  }
export const Users: TypedDocument<UsersResult, UsersVariables> = {
  name: 'Users',
  digest: '9588b55164b2fd8d08a20359dafab511a07c5a0fa486c44caf25a92fa1b4f012',
}

export type CreateUserResult = { createUser: { id: string } | null }
export type CreateUserVariables = { input: CreateUserInput }
export const CreateUser: TypedDocument<CreateUserResult, CreateUserVariables> = {
  name: 'CreateUser',
  digest: '495cb8654321ea6d5e5f88de41cf089c5e420a5765b2af48e842911ed543d156',
}

export type UpdateAccessLevelResult = { updateAccessLevel: readonly ({ id: string })[] | null }
export type UpdateAccessLevelVariables = { input: UpdateAccessLevelInput }
export const UpdateAccessLevel: TypedDocument<UpdateAccessLevelResult, UpdateAccessLevelVariables> = {
  name: 'UpdateAccessLevel',
  digest: '68e631c80abfdf45b6f2c5c0cacd0b8f454c71e955d4c0c4b9c051b034303a2d',
}

export type RemoveUsersResult = { removeUsers: readonly ({ id: string })[] | null }
export type RemoveUsersVariables = { input: UsersInput }
export const RemoveUsers: TypedDocument<RemoveUsersResult, RemoveUsersVariables> = {
  name: 'RemoveUsers',
  digest: 'e434b0a28766745807a085a673e559b611cdcbe629bc52da460f869fb745320d',
}

export type RevokeUserSessionsResult = { revokeUserSessions: readonly ({ id: string })[] | null }
export type RevokeUserSessionsVariables = { input: UsersInput }
export const RevokeUserSessions: TypedDocument<RevokeUserSessionsResult, RevokeUserSessionsVariables> = {
  name: 'RevokeUserSessions',
  digest: '83768008cf14428a261ef36fd9a80f04feb41abfb0cb744ceddee55141678af1',
}

export type EngineSettingsResult = { settings: { authAllowedDomains: readonly (string)[]; sessionLifetimeInDays: number } }
export type EngineSettingsVariables = {  }
export const EngineSettings: TypedDocument<EngineSettingsResult, EngineSettingsVariables> = {
  name: 'EngineSettings',
  digest: 'ca8094d1723f42b9f3293b0151a8514e8214bf5867c1da21e3ec158711a9104e',
}

export type UpdateSettingsResult = { updateSettings: { authAllowedDomains: readonly (string)[]; sessionLifetimeInDays: number } | null }
export type UpdateSettingsVariables = { input: SettingsInput }
export const UpdateSettings: TypedDocument<UpdateSettingsResult, UpdateSettingsVariables> = {
  name: 'UpdateSettings',
  digest: '60478f6cffc9375671b6c702a148dc22377f51d4e79f15e6fcc35463208a3d0a',
}

export type ActivitiesResult = { userActivityList: readonly ({ id: string; type: UserActivityType; date: string; user: { email: string }; vars: readonly ({ key: string; value: string })[]; isGenuine: boolean; outcome: AuditOutcome; errorCode: string | null; operation: string; principal: AuditPrincipal; address: string; comment: string })[] }
export type ActivitiesVariables = { types?: readonly (UserActivityType)[] | null | undefined; userEmail?: string | null | undefined; runtimeIds?: readonly (string)[] | null | undefined; versionIds?: readonly (string)[] | null | undefined; fromDate?: string | null | undefined; toDate?: string | null | undefined; lastId?: string | null | undefined }
export const Activities: TypedDocument<ActivitiesResult, ActivitiesVariables> = {
  name: 'Activities',
  digest: 'bf67b5916ee942ee03619492571bc54b9c1ac852a931d11da3ef629967372c50',
}

export type VersionComparisonResult = { from: { manifest: string }; to: { manifest: string }; versionComparison: { isSameBundle: boolean; leftOut: number; differences: readonly ({ area: DifferenceArea; name: string; change: DifferenceChange; fields: readonly ({ name: string; before: string | null; after: string | null })[] })[] } }
export type VersionComparisonVariables = { runtimeId: string; from: string; to: string }
export const VersionComparison: TypedDocument<VersionComparisonResult, VersionComparisonVariables> = {
  name: 'VersionComparison',
  digest: 'c992a750aaf876ec5e16e513539f893adf07fcd4ca8f0f66ed656ff5f9597ac1',
}

export type ConfigurationResult = { version: { id: string; status: VersionStatus; config: { completed: boolean; generation: number; vars: readonly ({ key: string; type: ConfigurationVariableType; isSet: boolean; updatedAt: string | null; fingerprint: string | null })[] } } }
export type ConfigurationVariables = { runtimeId: string; name: string }
export const Configuration: TypedDocument<ConfigurationResult, ConfigurationVariables> = {
  name: 'Configuration',
  digest: '5857f5729964b8fe2ade727ed6c17f0531628ac608a3a36c147eea5ffcacf712',
}

export type UpdateConfigurationResult = { updateVersionUserConfiguration: { id: string; config: { completed: boolean; generation: number } } | null }
export type UpdateConfigurationVariables = { input: UpdateConfigurationInput }
export const UpdateConfiguration: TypedDocument<UpdateConfigurationResult, UpdateConfigurationVariables> = {
  name: 'UpdateConfiguration',
  digest: '6ad677ab8091a2c134167abafe77e4655bcbd7e6b2512623f7289ecabc33d201',
}

export type DocumentsResult = { documents: readonly ({ path: string; contentType: string; isDashboard: boolean; url: string })[] }
export type DocumentsVariables = { runtimeId: string; versionName: string }
export const Documents: TypedDocument<DocumentsResult, DocumentsVariables> = {
  name: 'Documents',
  digest: '11113a41f6144ba5dc34005b1365eafb7ea86e9380fba94760a659b890fa16c2',
}

export type LogsResult = { logs: { cursor: string | null; items: readonly (LogLine)[] } }
export type LogsVariables = { runtimeId: string; filters: LogFilters; cursor?: string | null | undefined; limit?: number | null | undefined }
export const Logs: TypedDocument<LogsResult, LogsVariables> = {
  name: 'Logs',
  digest: '2aca2eda4957b0ab246348a6b9159db1bc464c30903b39a03f2f97fcabd32fe3',
}

export type WatchLogsResult = { watchNodeLogs: LogLine & { leftOut: number } }
export type WatchLogsVariables = { runtimeId: string; versionName: string; filters: LogFilters }
export const WatchLogs: TypedDocument<WatchLogsResult, WatchLogsVariables> = {
  name: 'WatchLogs',
  digest: '44367925478a6cc4624e62b1b5e9f5f9b696619ad1f1b6b3bbd7eba1682be36d',
}

export type PredictionsResult = { metrics: { rows: number; hits: number; misses: number; values: { accuracy: { total: number }; missing: number; newLabels: number }; classes: readonly ({ label: string; support: number; predicted: number; precision: number; recall: number; f1: number })[]; charts: { confusionMatrix: readonly ({ x: string; y: string; z: string })[]; successVsFails: readonly ({ x: string; y: string; z: string })[] } } | null }
export type PredictionsVariables = { runtimeId: string; versionName: string; startDate: string; endDate: string }
export const Predictions: TypedDocument<PredictionsResult, PredictionsVariables> = {
  name: 'Predictions',
  digest: '5b677f5b73074e72e1cd29c6340d0f0084e2a6cab1ccd66395e17b1530df38f5',
}

export type RecentRequestsResult = { recentRequests: readonly (RequestRow)[] }
export type RecentRequestsVariables = { runtimeId: string; versionName: string; filters?: RequestFilters | null | undefined }
export const RecentRequests: TypedDocument<RecentRequestsResult, RecentRequestsVariables> = {
  name: 'RecentRequests',
  digest: 'a460b9c05516597f2137171da628946ea63302dd47b8efac689be09c590ba447',
}

export type RequestWaterfallResult = { request: RequestRow & { versionName: string; steps: readonly ({ nodeId: string; fromNodeId: string; arrivalDate: string; attempt: number; transportMs: number | null; queueMs: number; handlerMs: number; ok: boolean; bytes: number })[] } | null }
export type RequestWaterfallVariables = { id: string; runtimeId: string }
export const RequestWaterfall: TypedDocument<RequestWaterfallResult, RequestWaterfallVariables> = {
  name: 'RequestWaterfall',
  digest: '029dc95c4e05ac03cb85a06c2466fcb34760b774a9cfc31bd606ffebc5f1c14f',
}

export type RuntimesResult = { runtimes: readonly (RuntimeFacts)[] }
export type RuntimesVariables = {  }
export const Runtimes: TypedDocument<RuntimesResult, RuntimesVariables> = {
  name: 'Runtimes',
  digest: '837f96f4e36e54aa0a4b33fe3cdfdb49a8d8290b78988f27acd9536d834000b6',
}

export type RuntimeWithVersionsResult = { runtime: RuntimeDetails; versions: readonly (VersionRow)[] }
export type RuntimeWithVersionsVariables = { id: string }
export const RuntimeWithVersions: TypedDocument<RuntimeWithVersionsResult, RuntimeWithVersionsVariables> = {
  name: 'RuntimeWithVersions',
  digest: 'effac6eae9f78a19ff6f1e91990e1a6699c32187082e209e237cdbf628c2bc8f',
}

export type CreateRuntimeResult = { createRuntime: { id: string } | null }
export type CreateRuntimeVariables = { input: CreateRuntimeInput }
export const CreateRuntime: TypedDocument<CreateRuntimeResult, CreateRuntimeVariables> = {
  name: 'CreateRuntime',
  digest: '257e2809bc2bc2359f4373b7d01cf273991b11816edcafbd35f654312891702e',
}

export type DeleteRuntimeResult = { deleteRuntime: { id: string } | null }
export type DeleteRuntimeVariables = { input: DeleteRuntimeInput }
export const DeleteRuntime: TypedDocument<DeleteRuntimeResult, DeleteRuntimeVariables> = {
  name: 'DeleteRuntime',
  digest: 'c875a713128888f4c6e91be50cedb921489616f757abd4d56478821cb08928bf',
}

export type WatchTrafficResult = { watchTraffic: { endDate: string; workflows: readonly ({ workflowId: string; total: { calls: number; errors: number; rate: number; duration: TimeFacts | null; overhead: TimeFacts | null } })[]; nodes: readonly ({ nodeId: string; total: { calls: number; errors: number; rate: number; queued: number; transport: TimeFacts | null; queue: TimeFacts | null; handler: TimeFacts | null } })[]; edges: readonly ({ workflowId: string; fromNodeId: string; toNodeId: string; total: { calls: number; errors: number; rate: number; transport: TimeFacts | null } })[] } }
export type WatchTrafficVariables = { runtimeId: string; versionName: string }
export const WatchTraffic: TypedDocument<WatchTrafficResult, WatchTrafficVariables> = {
  name: 'WatchTraffic',
  digest: 'f78ef84053b4e7e462fd68b7b48223a35ad5c0d5b2717dfda2c7d7a4041350e3',
}

export type TrafficHistoryResult = { traffic: { startDate: string; endDate: string; step: number; workflows: readonly ({ workflowId: string; points: readonly ({ date: string; calls: number; errors: number; duration: { p99: number } | null })[] })[]; nodes: readonly ({ nodeId: string; points: readonly ({ date: string; calls: number; errors: number; queued: number; handler: { p99: number } | null })[] })[] } }
export type TrafficHistoryVariables = { runtimeId: string; versionName: string; from: string; to: string; step: number }
export const TrafficHistory: TypedDocument<TrafficHistoryResult, TrafficHistoryVariables> = {
  name: 'TrafficHistory',
  digest: '9e6e2fc794a6c40c6c867b14f85fce8f5f4feaaa5b82b112dca3db9d2c90bd4d',
}

export type NodeRequestsResult = { recentRequests: readonly ({ id: string; startDate: string; status: string; elapsedMs: number; steps: readonly ({ nodeId: string; handlerMs: number; ok: boolean })[] })[] }
export type NodeRequestsVariables = { runtimeId: string; versionName: string; filters?: RequestFilters | null | undefined }
export const NodeRequests: TypedDocument<NodeRequestsResult, NodeRequestsVariables> = {
  name: 'NodeRequests',
  digest: '7bcdf6d97a9ebc7ab50a15b1047bbd084b70b99139770294cfd8fbecb5809e15',
}

export type EdgeSamplesResult = { edgeSamples: readonly ({ requestId: string; date: string; message: ShownMessage })[] }
export type EdgeSamplesVariables = { runtimeId: string; versionName: string; workflowId: string; fromNodeId: string; toNodeId: string }
export const EdgeSamples: TypedDocument<EdgeSamplesResult, EdgeSamplesVariables> = {
  name: 'EdgeSamples',
  digest: '86fd6669b9b83b470bae137ae86179be4c0c73de873cc9ad9e343918cfa1d4d0',
}

export type VersionServiceResult = { version: { id: string; service: { name: string; rpcs: readonly ({ name: string; path: string; workflowId: string | null; requestType: string; responseType: string; serverStreaming: boolean; comment: string })[]; messages: readonly ({ name: string; comment: string; fields: readonly ({ name: string; jsonName: string; kind: FieldKind; type: string; label: FieldLabel; keyType: string | null; oneof: string | null; comment: string })[] })[]; enums: readonly ({ name: string; comment: string; values: readonly ({ name: string; number: number; comment: string })[] })[] } } }
export type VersionServiceVariables = { runtimeId: string; name: string }
export const VersionService: TypedDocument<VersionServiceResult, VersionServiceVariables> = {
  name: 'VersionService',
  digest: '9449eccefaccfb3c1ed8000736fcf92cdd61abfcd80c30661a7ae80fa9d2b819',
}

export type SamplingResult = { version: { id: string; samplingUntil: string | null } }
export type SamplingVariables = { runtimeId: string; name: string }
export const Sampling: TypedDocument<SamplingResult, SamplingVariables> = {
  name: 'Sampling',
  digest: 'f659a3147f6fbaa09f5f4cc5c7c8fdc94e36a5cb4727e8976b06726d94d5d409',
}

export type SampleMessagesResult = { sampleMessages: { id: string } | null }
export type SampleMessagesVariables = { input: SampleMessagesInput }
export const SampleMessages: TypedDocument<SampleMessagesResult, SampleMessagesVariables> = {
  name: 'SampleMessages',
  digest: '6beac91b0fda73f036ff6bf16d43e822c93cdb2e237238f6a26d6338d9bdf136',
}

export type RequestMessagesResult = { request: { id: string; steps: readonly ({ nodeId: string; fromNodeId: string; arrivalDate: string; attempt: number; input: ShownMessage | null; output: ShownMessage | null })[] } | null }
export type RequestMessagesVariables = { id: string; runtimeId: string }
export const RequestMessages: TypedDocument<RequestMessagesResult, RequestMessagesVariables> = {
  name: 'RequestMessages',
  digest: '4c38031e9929e8c2ef1f3e7cd70206ebea434adf1a791364aeccfe1e918eb2fb',
}

export type VersionPageResult = { runtime: RuntimeDetails; version: VersionFacts }
export type VersionPageVariables = { runtimeId: string; name: string }
export const VersionPage: TypedDocument<VersionPageResult, VersionPageVariables> = {
  name: 'VersionPage',
  digest: 'ab2551dcbd2de439b2b1fcdfc0b5a9048afb860e3767970b96bf998503e24707',
}

export type StartVersionResult = { startVersion: { id: string } | null }
export type StartVersionVariables = { input: StartVersionInput }
export const StartVersion: TypedDocument<StartVersionResult, StartVersionVariables> = {
  name: 'StartVersion',
  digest: 'f1f8fb262165f555a57493f22ac115de812a864e82fa1bafc83ccf1935717a8c',
}

export type RestartVersionResult = { restartVersion: { id: string } | null }
export type RestartVersionVariables = { input: RestartVersionInput }
export const RestartVersion: TypedDocument<RestartVersionResult, RestartVersionVariables> = {
  name: 'RestartVersion',
  digest: '25c20ac5e46a270447cb13ab12b6b9bb6853c57bdff65611c640e9376ae17263',
}

export type StopVersionResult = { stopVersion: { id: string } | null }
export type StopVersionVariables = { input: StopVersionInput }
export const StopVersion: TypedDocument<StopVersionResult, StopVersionVariables> = {
  name: 'StopVersion',
  digest: '2f18aa7ba69323f177c6737979fcbaec19614d0cac0408aff46edf1a40dffe97',
}

export type PublishVersionResult = { publishVersion: { id: string } | null }
export type PublishVersionVariables = { input: PublishVersionInput }
export const PublishVersion: TypedDocument<PublishVersionResult, PublishVersionVariables> = {
  name: 'PublishVersion',
  digest: 'c389b9ed45df284fd847512bdf27f1a42edfabd44eb9a2e8a1c4b98f81b19b4c',
}

export type UnpublishVersionResult = { unpublishVersion: { id: string } | null }
export type UnpublishVersionVariables = { input: UnpublishVersionInput }
export const UnpublishVersion: TypedDocument<UnpublishVersionResult, UnpublishVersionVariables> = {
  name: 'UnpublishVersion',
  digest: '68a7decf45d4ebfaf160047af5696c804eacc25d7c85e617268be956c215e501',
}

export type DeleteVersionResult = { deleteVersion: { id: string } | null }
export type DeleteVersionVariables = { input: DeleteVersionInput }
export const DeleteVersion: TypedDocument<DeleteVersionResult, DeleteVersionVariables> = {
  name: 'DeleteVersion',
  digest: 'a5df8aa9e8c1c16abd64dc704f2a6e1e5fadc3da57a86a0af654d535cc062779',
}

export type WatchVersionResult = { watchVersion: { id: string; name: string; runtimeId: string; status: VersionStatus } }
export type WatchVersionVariables = { runtimeId?: string | null | undefined }
export const WatchVersion: TypedDocument<WatchVersionResult, WatchVersionVariables> = {
  name: 'WatchVersion',
  digest: '94a37967995fe5a17e5d6315126bead55a9ebe3092f3a8c17cf55df3bcfc57d0',
}

export type VersionNamesResult = { versions: readonly ({ id: string; name: string })[] }
export type VersionNamesVariables = { runtimeId: string }
export const VersionNames: TypedDocument<VersionNamesResult, VersionNamesVariables> = {
  name: 'VersionNames',
  digest: 'b3791f6037626eb63d5bbd140a4abb99786dbbb8bf817cae973ab30d7c9ddc00',
}
