import type { Connector } from '../core/connector.ts'
import { github } from './github/connector.ts'
import { gmail } from './gmail/connector.ts'
import { slack } from './slack/connector.ts'

/** The connectors that come with the gateway. */
export const builtInConnectors: readonly Connector[] = [gmail, github, slack]
