import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/webhooks',
    access: 'workspace',
    load: () => import('./Webhooks'),
    navigation: { group: 'admin', order: 40, icon: 'hook', label: 'webhooks', role: 'ADMIN' },
  }),
  page({ path: '/w/:slug/webhooks/:webhookId', access: 'workspace', load: () => import('./Webhook') }),
];
