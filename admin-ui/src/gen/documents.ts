// Made by `npm run generate -w @kre/admin-ui` from src/operations and the schema: change those.

/** An operation as text, with what it takes and gives. */
export type TypedDocument<Result, Variables> = {
  readonly name: string
  readonly text: string
  /** Never there: carries the types. */
  readonly types?: (variables: Variables) => Result
}

export type LogLevel = 'ERROR' | 'WARN' | 'INFO' | 'DEBUG'

export type KeptReason = 'failed' | 'slow' | 'sample'

export type VersionStatus = 'CREATING' | 'CREATED' | 'STARTING' | 'STARTED' | 'PUBLISHED' | 'STOPPING' | 'STOPPED' | 'ERROR'

export type NodeStatus = 'STARTING' | 'STARTED' | 'STOPPED' | 'ERROR'

export type KrtVersion = 'v1' | 'v2'

export type KrtIssueLevel = 'error' | 'warning' | 'info'

export type AccessLevel = 'VIEWER' | 'MANAGER' | 'ADMIN'

export type LoginMethod = 'LINK' | 'OIDC' | 'API_TOKEN'

export type ApiTokenScope = 'READ' | 'FULL'

export type GenerateApiTokenInput = { name: string; scope?: ApiTokenScope | undefined; runtimeIds?: readonly (string)[] | null | undefined; expiresInDays?: number | undefined }

export type DeleteApiTokenInput = { id: string }

export type EndLoginInput = { id: string }

export type CreateUserInput = { email: string; accessLevel?: AccessLevel | null | undefined; grants?: readonly (GrantInput)[] | null | undefined }

export type UpdateAccessLevelInput = { userIds: readonly (string)[]; accessLevel?: AccessLevel | null | undefined; comment: string }

export type UsersInput = { userIds: readonly (string)[]; comment: string }

export type SettingsInput = { authAllowedDomains?: readonly (string)[] | null | undefined; sessionLifetimeInDays?: number | null | undefined }

export type UserActivityType = 'LOGIN' | 'LOGOUT' | 'CREATE_RUNTIME' | 'CREATE_VERSION' | 'PUBLISH_VERSION' | 'UNPUBLISH_VERSION' | 'START_VERSION' | 'STOP_VERSION' | 'UPDATE_SETTING' | 'UPDATE_VERSION_CONFIGURATION' | 'CREATE_USER' | 'REMOVE_USERS' | 'UPDATE_ACCESS_LEVELS' | 'REVOKE_SESSIONS' | 'GENERATE_API_TOKEN' | 'DELETE_API_TOKEN' | 'UPDATE_RUNTIME' | 'DELETE_RUNTIME' | 'DELETE_VERSION' | 'UPDATE_GRANTS' | 'CREATE_SIGN_IN_LINK' | 'ROTATE_MASTER_KEY' | 'OTHER'

export type AuditOutcome = 'SUCCEEDED' | 'REFUSED' | 'FAILED' | 'UNKNOWN'

export type AuditPrincipal = 'ANONYMOUS' | 'OWNER' | 'LOGIN' | 'API_TOKEN'

export type ConfigurationVariableType = 'VARIABLE' | 'FILE'

export type UpdateConfigurationInput = { versionName: string; runtimeId: string; configurationVariables: readonly (ConfigurationVariablesInput)[]; ifGeneration?: number | null | undefined }

export type LogFilters = { startDate: string; endDate?: string | null | undefined; search?: string | null | undefined; levels?: readonly (LogLevel)[] | null | undefined; nodeIds?: readonly (string)[] | null | undefined; versionsIds?: readonly (string)[] | null | undefined; workflowsNames?: readonly (string)[] | null | undefined; requestId?: string | null | undefined }

export type RequestFilters = { startDate?: string | null | undefined; endDate?: string | null | undefined; workflow?: string | null | undefined; statuses?: readonly (string)[] | null | undefined; kept?: readonly (KeptReason)[] | null | undefined; elapsedMsMin?: number | null | undefined; limit?: number | null | undefined }

export type CreateRuntimeInput = { id: string; name: string; description: string }

export type DeleteRuntimeInput = { id: string; comment: string }

export type StartVersionInput = { versionName: string; comment: string; runtimeId: string }

export type RestartVersionInput = { versionName: string; comment: string; runtimeId: string }

export type StopVersionInput = { versionName: string; comment: string; runtimeId: string }

export type PublishVersionInput = { versionName: string; comment: string; runtimeId: string }

export type UnpublishVersionInput = { versionName: string; comment: string; runtimeId: string }

export type DeleteVersionInput = { versionName: string; comment: string; runtimeId: string }

export type GrantInput = { runtimeId: string; accessLevel: AccessLevel }

export type ConfigurationVariablesInput = { key: string; value: string }

export type LogLine = { id: string; date: string; nodeId: string; nodeName: string; workflowName: string; message: string; level: LogLevel; requestId: string | null }

export type RequestRow = { id: string; workflowId: string; kept: KeptReason; startDate: string; elapsedMs: number; handlerMs: number; overheadMs: number; status: string; message: string; attempts: number; requestBytes: number }

export type RuntimeFacts = { id: string; name: string; description: string; creationDate: string; creationAuthor: { email: string }; entrypointAddress: string; publishedVersion: { name: string; status: VersionStatus; statusReason: string } | null }

export type LatencyFacts = { count: number; mean: number; p50: number; p99: number }

export type TotalFacts = { calls: number; errors: number; rate: number; duration: LatencyFacts | null; overhead: LatencyFacts | null; transport: LatencyFacts | null; queue: LatencyFacts | null; handler: LatencyFacts | null }

export type VersionHead = { id: string; name: string; runtimeId: string; description: string; status: VersionStatus; statusReason: string; errors: readonly (string)[]; creationDate: string; creationAuthor: { email: string }; publicationDate: string | null; publicationAuthor: { email: string } | null; entrypointAddress: string; config: { completed: boolean } }

export type VersionRow = VersionHead & { workflows: readonly ({ nodes: readonly ({ id: string; name: string; status: NodeStatus; statusReason: string; replicas: number; replicasReady: number })[] })[] }

export type VersionFacts = VersionHead & { krtVersion: KrtVersion; hasDoc: boolean; digest: string; issues: readonly ({ code: string; level: KrtIssueLevel; message: string; file: string; line: number; column: number; path: string; hint: string | null })[]; workflows: readonly ({ id: string; name: string; entrypoint: string; exitpoint: string; nodes: readonly ({ id: string; name: string; status: NodeStatus; statusReason: string; subscriptions: readonly (string)[]; replicas: number; replicasReady: number; restarts: number })[] })[] }

export type MeResult = { me: { email: string; accessLevel: AccessLevel; globalAccessLevel: AccessLevel | null; grants: readonly ({ runtimeId: string; accessLevel: AccessLevel })[] | null } | null }
export type MeVariables = {  }
export const Me: TypedDocument<MeResult, MeVariables> = {
  name: 'Me',
  text: "query Me{me{email accessLevel globalAccessLevel grants{runtimeId accessLevel}}}",
}

export type ProfileResult = { me: { email: string; logins: readonly ({ id: string; method: LoginMethod; userAgent: string; creationDate: string; lastActivity: string; expirationDate: string; isCurrent: boolean })[] | null; apiTokens: readonly ({ id: string; name: string; creationDate: string; lastActivity: string | null; expirationDate: string; scope: ApiTokenScope; runtimeIds: readonly (string)[] | null })[] | null } | null }
export type ProfileVariables = {  }
export const Profile: TypedDocument<ProfileResult, ProfileVariables> = {
  name: 'Profile',
  text: "query Profile{me{email logins{id method userAgent creationDate lastActivity expirationDate isCurrent}apiTokens{id name creationDate lastActivity expirationDate scope runtimeIds}}}",
}

export type GenerateApiTokenResult = { generateApiToken: string }
export type GenerateApiTokenVariables = { input: GenerateApiTokenInput }
export const GenerateApiToken: TypedDocument<GenerateApiTokenResult, GenerateApiTokenVariables> = {
  name: 'GenerateApiToken',
  text: "mutation GenerateApiToken($input:GenerateApiTokenInput!){generateApiToken(input:$input)}",
}

export type DeleteApiTokenResult = { deleteApiToken: { id: string } | null }
export type DeleteApiTokenVariables = { input: DeleteApiTokenInput }
export const DeleteApiToken: TypedDocument<DeleteApiTokenResult, DeleteApiTokenVariables> = {
  name: 'DeleteApiToken',
  text: "mutation DeleteApiToken($input:DeleteApiTokenInput!){deleteApiToken(input:$input){id}}",
}

export type EndLoginResult = { endLogin: { id: string } | null }
export type EndLoginVariables = { input: EndLoginInput }
export const EndLogin: TypedDocument<EndLoginResult, EndLoginVariables> = {
  name: 'EndLogin',
  text: "mutation EndLogin($input:EndLoginInput!){endLogin(input:$input){id}}",
}

export type UsersResult = { users: readonly ({ email: string; accessLevel: AccessLevel; globalAccessLevel: AccessLevel | null; grants: readonly ({ runtimeId: string; accessLevel: AccessLevel })[] | null; creationDate: string | null; lastActivity: string | null; activeSessions: number | null })[] }
export type UsersVariables = {  }
export const Users: TypedDocument<UsersResult, UsersVariables> = {
  name: 'Users',
  text: "query Users{users{email accessLevel globalAccessLevel grants{runtimeId accessLevel}creationDate lastActivity activeSessions}}",
}

export type CreateUserResult = { createUser: { id: string } | null }
export type CreateUserVariables = { input: CreateUserInput }
export const CreateUser: TypedDocument<CreateUserResult, CreateUserVariables> = {
  name: 'CreateUser',
  text: "mutation CreateUser($input:CreateUserInput!){createUser(input:$input){id}}",
}

export type UpdateAccessLevelResult = { updateAccessLevel: readonly ({ id: string })[] | null }
export type UpdateAccessLevelVariables = { input: UpdateAccessLevelInput }
export const UpdateAccessLevel: TypedDocument<UpdateAccessLevelResult, UpdateAccessLevelVariables> = {
  name: 'UpdateAccessLevel',
  text: "mutation UpdateAccessLevel($input:UpdateAccessLevelInput!){updateAccessLevel(input:$input){id}}",
}

export type RemoveUsersResult = { removeUsers: readonly ({ id: string })[] | null }
export type RemoveUsersVariables = { input: UsersInput }
export const RemoveUsers: TypedDocument<RemoveUsersResult, RemoveUsersVariables> = {
  name: 'RemoveUsers',
  text: "mutation RemoveUsers($input:UsersInput!){removeUsers(input:$input){id}}",
}

export type RevokeUserSessionsResult = { revokeUserSessions: readonly ({ id: string })[] | null }
export type RevokeUserSessionsVariables = { input: UsersInput }
export const RevokeUserSessions: TypedDocument<RevokeUserSessionsResult, RevokeUserSessionsVariables> = {
  name: 'RevokeUserSessions',
  text: "mutation RevokeUserSessions($input:UsersInput!){revokeUserSessions(input:$input){id}}",
}

export type EngineSettingsResult = { settings: { authAllowedDomains: readonly (string)[]; sessionLifetimeInDays: number } }
export type EngineSettingsVariables = {  }
export const EngineSettings: TypedDocument<EngineSettingsResult, EngineSettingsVariables> = {
  name: 'EngineSettings',
  text: "query EngineSettings{settings{authAllowedDomains sessionLifetimeInDays}}",
}

export type UpdateSettingsResult = { updateSettings: { authAllowedDomains: readonly (string)[]; sessionLifetimeInDays: number } | null }
export type UpdateSettingsVariables = { input: SettingsInput }
export const UpdateSettings: TypedDocument<UpdateSettingsResult, UpdateSettingsVariables> = {
  name: 'UpdateSettings',
  text: "mutation UpdateSettings($input:SettingsInput!){updateSettings(input:$input){authAllowedDomains sessionLifetimeInDays}}",
}

export type ActivitiesResult = { userActivityList: readonly ({ id: string; type: UserActivityType; date: string; user: { email: string }; vars: readonly ({ key: string; value: string })[]; isGenuine: boolean; outcome: AuditOutcome; errorCode: string | null; operation: string; principal: AuditPrincipal; address: string; comment: string })[] }
export type ActivitiesVariables = { types?: readonly (UserActivityType)[] | null | undefined; userEmail?: string | null | undefined; lastId?: string | null | undefined }
export const Activities: TypedDocument<ActivitiesResult, ActivitiesVariables> = {
  name: 'Activities',
  text: "query Activities($types:[UserActivityType!]$userEmail:String$lastId:String){userActivityList(types:$types userEmail:$userEmail lastId:$lastId){id type date user{email}vars{key value}isGenuine outcome errorCode operation principal address comment}}",
}

export type ConfigurationResult = { version: { id: string; status: VersionStatus; config: { completed: boolean; generation: number; vars: readonly ({ key: string; type: ConfigurationVariableType; isSet: boolean; updatedAt: string | null; fingerprint: string | null })[] } } }
export type ConfigurationVariables = { runtimeId: string; name: string }
export const Configuration: TypedDocument<ConfigurationResult, ConfigurationVariables> = {
  name: 'Configuration',
  text: "query Configuration($runtimeId:ID!$name:String!){version(runtimeId:$runtimeId name:$name){id status config{completed generation vars{key type isSet updatedAt fingerprint}}}}",
}

export type UpdateConfigurationResult = { updateVersionUserConfiguration: { id: string; config: { completed: boolean; generation: number } } | null }
export type UpdateConfigurationVariables = { input: UpdateConfigurationInput }
export const UpdateConfiguration: TypedDocument<UpdateConfigurationResult, UpdateConfigurationVariables> = {
  name: 'UpdateConfiguration',
  text: "mutation UpdateConfiguration($input:UpdateConfigurationInput!){updateVersionUserConfiguration(input:$input){id config{completed generation}}}",
}

export type DocumentsResult = { documents: readonly ({ path: string; contentType: string; isDashboard: boolean; url: string })[] }
export type DocumentsVariables = { runtimeId: string; versionName: string }
export const Documents: TypedDocument<DocumentsResult, DocumentsVariables> = {
  name: 'Documents',
  text: "query Documents($runtimeId:ID!$versionName:String!){documents(runtimeId:$runtimeId versionName:$versionName){path contentType isDashboard url}}",
}

export type LogsResult = { logs: { cursor: string | null; items: readonly (LogLine)[] } }
export type LogsVariables = { runtimeId: string; filters: LogFilters; cursor?: string | null | undefined }
export const Logs: TypedDocument<LogsResult, LogsVariables> = {
  name: 'Logs',
  text: "query Logs($runtimeId:ID!$filters:LogFilters!$cursor:String){logs(runtimeId:$runtimeId filters:$filters cursor:$cursor){cursor items{...LogLine}}}fragment LogLine on NodeLog{id date nodeId nodeName workflowName message level requestId}",
}

export type WatchLogsResult = { watchNodeLogs: LogLine }
export type WatchLogsVariables = { runtimeId: string; versionName: string; filters: LogFilters }
export const WatchLogs: TypedDocument<WatchLogsResult, WatchLogsVariables> = {
  name: 'WatchLogs',
  text: "subscription WatchLogs($runtimeId:ID!$versionName:String!$filters:LogFilters!){watchNodeLogs(runtimeId:$runtimeId versionName:$versionName filters:$filters){...LogLine}}fragment LogLine on NodeLog{id date nodeId nodeName workflowName message level requestId}",
}

export type PredictionsResult = { metrics: { rows: number; hits: number; misses: number; values: { accuracy: { total: number }; missing: number; newLabels: number }; classes: readonly ({ label: string; support: number; predicted: number; precision: number; recall: number; f1: number })[]; charts: { confusionMatrix: readonly ({ x: string; y: string; z: string })[]; successVsFails: readonly ({ x: string; y: string; z: string })[] } } | null }
export type PredictionsVariables = { runtimeId: string; versionName: string; startDate: string; endDate: string }
export const Predictions: TypedDocument<PredictionsResult, PredictionsVariables> = {
  name: 'Predictions',
  text: "query Predictions($runtimeId:ID!$versionName:String!$startDate:String!$endDate:String!){metrics(runtimeId:$runtimeId versionName:$versionName startDate:$startDate endDate:$endDate){rows hits misses values{accuracy{total}missing newLabels}classes{label support predicted precision recall f1}charts{confusionMatrix{x y z}successVsFails{x y z}}}}",
}

export type RecentRequestsResult = { recentRequests: readonly (RequestRow)[] }
export type RecentRequestsVariables = { runtimeId: string; versionName: string; filters?: RequestFilters | null | undefined }
export const RecentRequests: TypedDocument<RecentRequestsResult, RecentRequestsVariables> = {
  name: 'RecentRequests',
  text: "query RecentRequests($runtimeId:ID!$versionName:String!$filters:RequestFilters){recentRequests(runtimeId:$runtimeId versionName:$versionName filters:$filters){...RequestRow}}fragment RequestRow on TracedRequest{id workflowId kept startDate elapsedMs handlerMs overheadMs status message attempts requestBytes}",
}

export type RequestWaterfallResult = { request: RequestRow & { versionName: string; steps: readonly ({ nodeId: string; fromNodeId: string; arrivalDate: string; attempt: number; transportMs: number | null; queueMs: number; handlerMs: number; ok: boolean; bytes: number })[] } | null }
export type RequestWaterfallVariables = { id: string; runtimeId: string }
export const RequestWaterfall: TypedDocument<RequestWaterfallResult, RequestWaterfallVariables> = {
  name: 'RequestWaterfall',
  text: "query RequestWaterfall($id:ID!$runtimeId:ID!){request(id:$id runtimeId:$runtimeId){...RequestRow versionName steps{nodeId fromNodeId arrivalDate attempt transportMs queueMs handlerMs ok bytes}}}fragment RequestRow on TracedRequest{id workflowId kept startDate elapsedMs handlerMs overheadMs status message attempts requestBytes}",
}

export type RuntimesResult = { runtimes: readonly (RuntimeFacts)[] }
export type RuntimesVariables = {  }
export const Runtimes: TypedDocument<RuntimesResult, RuntimesVariables> = {
  name: 'Runtimes',
  text: "query Runtimes{runtimes{...RuntimeFacts}}fragment RuntimeFacts on Runtime{id name description creationDate creationAuthor{email}entrypointAddress publishedVersion{name status statusReason}}",
}

export type RuntimeWithVersionsResult = { runtime: RuntimeFacts; versions: readonly (VersionRow)[] }
export type RuntimeWithVersionsVariables = { id: string }
export const RuntimeWithVersions: TypedDocument<RuntimeWithVersionsResult, RuntimeWithVersionsVariables> = {
  name: 'RuntimeWithVersions',
  text: "query RuntimeWithVersions($id:ID!){runtime(id:$id){...RuntimeFacts}versions(runtimeId:$id){...VersionRow}}fragment RuntimeFacts on Runtime{id name description creationDate creationAuthor{email}entrypointAddress publishedVersion{name status statusReason}}fragment VersionRow on Version{...VersionHead workflows{nodes{id name status statusReason replicas replicasReady}}}fragment VersionHead on Version{id name runtimeId description status statusReason errors creationDate creationAuthor{email}publicationDate publicationAuthor{email}entrypointAddress config{completed}}",
}

export type CreateRuntimeResult = { createRuntime: { id: string } | null }
export type CreateRuntimeVariables = { input: CreateRuntimeInput }
export const CreateRuntime: TypedDocument<CreateRuntimeResult, CreateRuntimeVariables> = {
  name: 'CreateRuntime',
  text: "mutation CreateRuntime($input:CreateRuntimeInput!){createRuntime(input:$input){id}}",
}

export type DeleteRuntimeResult = { deleteRuntime: { id: string } | null }
export type DeleteRuntimeVariables = { input: DeleteRuntimeInput }
export const DeleteRuntime: TypedDocument<DeleteRuntimeResult, DeleteRuntimeVariables> = {
  name: 'DeleteRuntime',
  text: "mutation DeleteRuntime($input:DeleteRuntimeInput!){deleteRuntime(input:$input){id}}",
}

export type WatchTrafficResult = { watchTraffic: { endDate: string; workflows: readonly ({ workflowId: string; total: TotalFacts })[]; nodes: readonly ({ nodeId: string; total: TotalFacts })[]; edges: readonly ({ workflowId: string; fromNodeId: string; toNodeId: string; total: TotalFacts })[] } }
export type WatchTrafficVariables = { runtimeId: string; versionName: string }
export const WatchTraffic: TypedDocument<WatchTrafficResult, WatchTrafficVariables> = {
  name: 'WatchTraffic',
  text: "subscription WatchTraffic($runtimeId:ID!$versionName:String!){watchTraffic(runtimeId:$runtimeId versionName:$versionName){endDate workflows{workflowId total{...TotalFacts}}nodes{nodeId total{...TotalFacts}}edges{workflowId fromNodeId toNodeId total{...TotalFacts}}}}fragment TotalFacts on TrafficTotal{calls errors rate duration{...LatencyFacts}overhead{...LatencyFacts}transport{...LatencyFacts}queue{...LatencyFacts}handler{...LatencyFacts}}fragment LatencyFacts on Latency{count mean p50 p99}",
}

export type VersionPageResult = { runtime: RuntimeFacts; version: VersionFacts }
export type VersionPageVariables = { runtimeId: string; name: string }
export const VersionPage: TypedDocument<VersionPageResult, VersionPageVariables> = {
  name: 'VersionPage',
  text: "query VersionPage($runtimeId:ID!$name:String!){runtime(id:$runtimeId){...RuntimeFacts}version(runtimeId:$runtimeId name:$name){...VersionFacts}}fragment RuntimeFacts on Runtime{id name description creationDate creationAuthor{email}entrypointAddress publishedVersion{name status statusReason}}fragment VersionFacts on Version{...VersionHead krtVersion hasDoc digest issues{code level message file line column path hint}workflows{id name entrypoint exitpoint nodes{id name status statusReason subscriptions replicas replicasReady restarts}}}fragment VersionHead on Version{id name runtimeId description status statusReason errors creationDate creationAuthor{email}publicationDate publicationAuthor{email}entrypointAddress config{completed}}",
}

export type StartVersionResult = { startVersion: { id: string } | null }
export type StartVersionVariables = { input: StartVersionInput }
export const StartVersion: TypedDocument<StartVersionResult, StartVersionVariables> = {
  name: 'StartVersion',
  text: "mutation StartVersion($input:StartVersionInput!){startVersion(input:$input){id}}",
}

export type RestartVersionResult = { restartVersion: { id: string } | null }
export type RestartVersionVariables = { input: RestartVersionInput }
export const RestartVersion: TypedDocument<RestartVersionResult, RestartVersionVariables> = {
  name: 'RestartVersion',
  text: "mutation RestartVersion($input:RestartVersionInput!){restartVersion(input:$input){id}}",
}

export type StopVersionResult = { stopVersion: { id: string } | null }
export type StopVersionVariables = { input: StopVersionInput }
export const StopVersion: TypedDocument<StopVersionResult, StopVersionVariables> = {
  name: 'StopVersion',
  text: "mutation StopVersion($input:StopVersionInput!){stopVersion(input:$input){id}}",
}

export type PublishVersionResult = { publishVersion: { id: string } | null }
export type PublishVersionVariables = { input: PublishVersionInput }
export const PublishVersion: TypedDocument<PublishVersionResult, PublishVersionVariables> = {
  name: 'PublishVersion',
  text: "mutation PublishVersion($input:PublishVersionInput!){publishVersion(input:$input){id}}",
}

export type UnpublishVersionResult = { unpublishVersion: { id: string } | null }
export type UnpublishVersionVariables = { input: UnpublishVersionInput }
export const UnpublishVersion: TypedDocument<UnpublishVersionResult, UnpublishVersionVariables> = {
  name: 'UnpublishVersion',
  text: "mutation UnpublishVersion($input:UnpublishVersionInput!){unpublishVersion(input:$input){id}}",
}

export type DeleteVersionResult = { deleteVersion: { id: string } | null }
export type DeleteVersionVariables = { input: DeleteVersionInput }
export const DeleteVersion: TypedDocument<DeleteVersionResult, DeleteVersionVariables> = {
  name: 'DeleteVersion',
  text: "mutation DeleteVersion($input:DeleteVersionInput!){deleteVersion(input:$input){id}}",
}

export type WatchVersionResult = { watchVersion: { id: string; name: string; runtimeId: string; status: VersionStatus } }
export type WatchVersionVariables = { runtimeId?: string | null | undefined }
export const WatchVersion: TypedDocument<WatchVersionResult, WatchVersionVariables> = {
  name: 'WatchVersion',
  text: "subscription WatchVersion($runtimeId:ID){watchVersion(runtimeId:$runtimeId){id name runtimeId status}}",
}
