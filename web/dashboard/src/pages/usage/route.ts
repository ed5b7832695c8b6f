import { page } from '../../app/page';

export default page({
  path: '/w/:slug/usage',
  access: 'workspace',
  load: () => import('./Usage'),
  navigation: { group: 'admin', order: 80, icon: 'gauge', label: 'usage', role: 'ADMIN' },
});
