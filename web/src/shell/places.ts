import { Activity, Blocks, Bot, Settings, Wrench } from 'lucide-react'

/** The pages, in the order people meet them. */
export const PLACES = [
  { to: '/', label: 'Connect an agent', short: 'Agents', icon: Bot },
  { to: '/connectors', label: 'Connectors', short: 'Connectors', icon: Blocks },
  { to: '/tools', label: 'Tools', short: 'Tools', icon: Wrench },
  { to: '/events', label: 'Events', short: 'Events', icon: Activity },
  { to: '/settings', label: 'Settings', short: 'Settings', icon: Settings },
] as const
