/** The front page of the command line: the seed's words first, what was added after them. */
export const HELP = `
  krectl.sh -- a tool to manage KRE environment during development.

  syntax: krectl.sh <command> [options]

    commands:
      dev     creates a complete local environment and auto-login to frontend.
      start   starts minikube kre profile.
      stop    stops minikube kre profile.
      login   creates a login URL and open your browser automatically on the admin page.
      build   calls docker to build all images inside minikube.
      deploy  calls helm to create install/upgrade a kre release on minikube.
      delete  calls kubectl to remove runtimes or versions.

    dev, stop and login work on this computer without a cluster; with --target minikube, or KRECTL_TARGET=minikube in
    .krectl.conf, they mean the cluster that start brings up and deploy fills; so do all others with that setting.

    more commands:
      status   the engine, its processes and addresses.
      doctor   what this computer has and lacks.
      profile  add, list, show, use, remove: engines elsewhere, with their API tokens.
      whoami   which engine is spoken to, and as whom.
      runtime  create, list, show, update, log-limits, delete.
      version  create, list, show, start, restart, stop, publish, unpublish, rollback,
               diff, delete, download, documents, logs, metrics, measurements, traffic,
               requests, top.
      upload   list, delete: uploads that are not over.
      config   get, set, unset: variables and files of a version.
      apply    makes an engine what YAML documents say.
      keys     show, rotate, reset: the master key of configuration values.
      user     list, create, remove, level, grant, revoke, logins, end-login, tokens: who may sign in.
      admin    create: an administrator, with a link that signs them in.
      token    create, list, delete: API tokens for programs.
      settings get, set: allowed domains, length of logins.
      audit    list, export, verify: who did what, kept so that changing it shows.
      metrics  counts of everything that runs, for Prometheus.
      krt      init, validate, build, show, types: bundles, without an engine.
      call     calls an rpc with JSON.
      oip-check  checks any server of the Open Inference Protocol v2.
      release  next, notes: tags of the product and what changed, from git.
      test     runs all checks and tests of this repository; --cluster, --images, --pods: those that need more.
      cluster  up, down: a Kubernetes control plane on this computer, for these tests.
      completion bash, zsh, fish: completes commands, options and names.

    global options:
      h     prints this help.
      v     verbose mode.

    Every command takes --help, --json, --quiet, and which engine is meant: --data DIR (default: .kre of this checkout),
    --profile NAME, or --url URL with --token-file FILE. docs/cli.md has all of them.
    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 69 no engine to talk to, 130 interrupted.
`
