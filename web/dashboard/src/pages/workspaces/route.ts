import { page } from '../../app/page';

export default page({ path: '/workspaces', access: 'signed-in', load: () => import('./Workspaces') });
