/** The only messages between preload and main. */
export const channels = {
  connect: 'decon:connect',
  port: 'decon:port',
  drop: 'decon:drop',
} as const;
